"""RSNA Pneumonia Detection Challenge 2018 (Shih et al., Radiology: AI 2019), stage 2, as on Kaggle.

`stage_2_train_labels.csv` (one row per box), `stage_2_detailed_class_info.csv`, and the DICOM images in
`stage_2_train_images`. Age, sex and view come from the DICOM header.

The challenge gives every image its own patientId; the patients of NIH ChestX-ray14 behind them are in
RSNA's `pneumonia-challenge-dataset-mappings_2018.json`. With it beside the tables, groups are patients;
without it they are images, which is told, since a split may then put one patient on both sides.
"""

from __future__ import annotations

import json
import warnings
from collections import defaultdict
from pathlib import Path

import pydicom
from pydicom.errors import InvalidDicomError

from training.adapters.film import Corners, Film, PublicSet
from training.adapters.published import NotAsPublished, is_yes, read_table, to_years

LABELS = "stage_2_train_labels.csv"
CLASSES = "stage_2_detailed_class_info.csv"
IMAGES = "stage_2_train_images"
MAPPING = "pneumonia-challenge-dataset-mappings_2018.json"
BOX = ("x", "y", "width", "height")
HEADER = ("PatientAge", "PatientSex", "ViewPosition")


def read(source: Path) -> list[Film]:
    """One film per patientId; Target 1 is an opacity suspicious for pneumonia."""
    targets: dict[str, int] = {}
    boxes: dict[str, list[Corners]] = defaultdict(list)
    for row in read_table(source / LABELS, ("patientId", *BOX, "Target")):
        name, target = row["patientId"], int(is_yes(row["Target"]))
        if targets.setdefault(name, target) != target:
            raise NotAsPublished(f"{LABELS} gives {name} both targets")
        if target:
            boxes[name].append(_box(row))
    classes = {row["patientId"]: row["class"] for row in read_table(source / CLASSES, ("patientId", "class"))}
    nih = _nih_images(source / MAPPING)
    return [_film(source, name, target, boxes[name], classes, nih) for name, target in targets.items()]


def _film(
    source: Path,
    name: str,
    target: int,
    boxes: list[Corners],
    classes: dict[str, str],
    nih: dict[str, str],
) -> Film:
    path, image = source / IMAGES / f"{name}.dcm", nih.get(name, "")
    return Film(
        path=path,
        label=target,
        group=f"nih_{image.partition('_')[0]}" if image else f"rsna_{name}",
        is_patient_known=bool(image),
        boxes=tuple(boxes),
        quality="rsna_radiologist",
        facts={**_header(path), "rsna_class": classes.get(name, ""), "rsna_id": name, "nih_image": image},
    )


def _box(row: dict[str, str]) -> Corners:
    try:
        left, top, width, height = (float(row[edge]) for edge in BOX)
    except ValueError as error:
        raise NotAsPublished(f"{LABELS} has no box for {row['patientId']}, whose Target is 1") from error
    return left, top, left + width, top + height


def _header(path: Path) -> dict[str, str]:
    """Age, sex and view; nothing of an image that is not there, which is told later."""
    if not path.is_file():
        return {}
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # pydicom's warnings quote element values
            ds = pydicom.dcmread(path, stop_before_pixels=True, specific_tags=list(HEADER))
            age, sex, view = (str(ds.get(keyword, "")) for keyword in HEADER)
    except (InvalidDicomError, OSError) as error:
        raise NotAsPublished(f"{path} is not a DICOM file") from error
    return {"age": to_years(age), "sex": sex, "view": view}


def _nih_images(path: Path) -> dict[str, str]:
    if not path.is_file():
        return {}
    try:
        rows = json.loads(path.read_text(encoding="utf-8"))
        return {row["subset_img_id"]: row["img_id"] for row in rows}
    except (KeyError, TypeError, ValueError) as error:
        raise NotAsPublished(f"{path} is not RSNA's mapping: {error}") from error


SET = PublicSet(
    name="rsna",
    title="RSNA Pneumonia Detection 2018",
    licence=(
        "RSNA Pneumonia Challenge annotations: non-commercial and academic use with attribution (Shih et al. "
        "2019); images: NIH ChestX-ray14, with attribution (Wang et al. 2017)"
    ),
    negative="no_pneumonia_opacity",
    positive="pneumonia_opacity",
    read=read,
)
