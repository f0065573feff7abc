"""GRAZPEDWRI-DX (Nagy et al., Scientific Data 9:222, 2022), as in figshare 14825193, YOLO form.

`dataset.csv`, the images (16-bit PNG) in `images` or `images_part1` to `images_part4`, and the labels
in `labels`, `yolov5/labels` or `folder_structure/yolov5/labels`, one text file per image. Wrists of
children: the label is `fracture_visible`, per image; class 3 of 0 to 8 is a fracture.
"""

from __future__ import annotations

from pathlib import Path

from training.adapters.annotations import yolo_boxes
from training.adapters.film import Film, PublicSet
from training.adapters.published import (
    NotAsPublished,
    first_that_is,
    images_below,
    is_yes,
    read_table,
    to_years,
)

COLUMNS = (
    "filestem",
    "patient_id",
    "gender",
    "age",
    "laterality",
    "projection",
    "initial_exam",
    "ao_classification",
    "cast",
    "diagnosis_uncertain",
    "osteopenia",
    "fracture_visible",
    "metal",
    "device_manufacturer",
)
LABEL_FOLDERS = ("labels", "yolov5/labels", "folder_structure/yolov5/labels")
IMAGE_PATTERNS = ("images/*", "images_part*/*", "yolov5/images/*")
FRACTURE = frozenset({3})
VIEWS = {"1": "frontal", "2": "lateral", "3": "oblique"}


def read(source: Path) -> list[Film]:
    """One film per row of dataset.csv; where the readers were not sure, `label_quality` says so."""
    rows = read_table(source / "dataset.csv", COLUMNS)
    labels = first_that_is(source / name for name in LABEL_FOLDERS)
    if labels is None:
        raise NotAsPublished(f"{source} has none of the folders {', '.join(LABEL_FOLDERS)}")
    images = images_below(source, IMAGE_PATTERNS)
    return [_film(source, row, images, labels) for row in rows]


def _film(source: Path, row: dict[str, str], images: dict[str, Path], labels: Path) -> Film:
    stem = row["filestem"]
    boxes = yolo_boxes(labels / f"{stem}.txt", FRACTURE)
    name = f"{stem}.png"
    return Film(
        path=images.get(name, source / "images" / name),
        label=int(is_yes(row["fracture_visible"])),
        group=f"graz_{row['patient_id']}",
        boxes=boxes,
        is_relative=True,
        quality="radiologists" + (", not sure" if is_yes(row["diagnosis_uncertain"]) else ""),
        facts={
            "age": to_years(row["age"]),
            "sex": row["gender"],
            # FracAtlas, which names the side tasks, counts the wrist to the hand.
            "body_part": "hand,wrist",
            "views": VIEWS.get(row["projection"].removesuffix(".0"), ""),
            "laterality": row["laterality"],
            "hardware": str(int(is_yes(row["metal"]))),
            "cast": str(int(is_yes(row["cast"]))),
            "osteopenia": str(int(is_yes(row["osteopenia"]))),
            "initial_exam": str(int(is_yes(row["initial_exam"]))),
            "ao_classification": row["ao_classification"],
            "fracture_count": str(len(boxes)),
            "vendor": row["device_manufacturer"],
        },
    )


SET = PublicSet(
    name="grazpedwri",
    title="GRAZPEDWRI-DX",
    licence="GRAZPEDWRI-DX (Nagy et al. 2022, Sci Data 9:222; figshare 14825193): CC BY 4.0",
    negative="no_fracture",
    positive="fracture",
    read=read,
)
