"""Miniatures of the public sets as their makers publish them: file names and columns real, pictures drawn.

Each draws `patients` patients of two images; every second patient has the lesion, at `LESION`.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from tests.builders import Film, uid_of, write

ROWS, COLUMNS = 300, 200
LESION = (40, 90, 80, 150)  # left, top, right, bottom
IMAGES_PER_PATIENT = 2


def picture(seed: int) -> NDArray[np.uint8]:
    """A drawn film of 8 bits that no other seed gives."""
    noise = np.random.default_rng(seed).integers(0, 60, (ROWS, COLUMNS))
    return np.asarray(noise + np.linspace(20, 180, COLUMNS), np.uint8)


def write_image(path: Path, image: NDArray[np.generic]) -> None:
    """Write in the form its suffix names."""
    path.parent.mkdir(parents=True, exist_ok=True)
    assert cv2.imwrite(str(path), image)


def write_rows(path: Path, header: str, rows: list[list[object]]) -> None:
    """Write a CSV whose header stands as published, whatever its commas do."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="", encoding="utf-8") as file:
        file.write(header + "\n")
        csv.writer(file).writerows(rows)


def _patients(patients: int) -> Iterator[tuple[int, int, int, bool]]:
    """Running number, patient, image of the patient, lesion."""
    for number in range(patients * IMAGES_PER_PATIENT):
        patient = number // IMAGES_PER_PATIENT
        yield number, patient, number % IMAGES_PER_PATIENT, patient % 2 == 1


def _yolo(lesion_class: int) -> str:
    left, top, right, bottom = LESION
    centre = (left + right) / 2 / COLUMNS, (top + bottom) / 2 / ROWS
    size = (right - left) / COLUMNS, (bottom - top) / ROWS
    return f"{lesion_class} " + " ".join(f"{edge:.6f}" for edge in (*centre, *size)) + "\n"


def fracatlas(folder: Path, *, patients: int = 24, form: str = "PASCAL VOC") -> Path:
    """FracAtlas with the annotations in one `form`. A patient here is a run of twelve numbers."""
    rows: list[list[object]] = []
    coco: dict[str, list[dict[str, object]]] = {"images": [], "annotations": []}
    for number, patient, image, lesion in _patients(patients):
        name, kind = f"IMG{patient * 12 + image:07d}", "Fractured" if lesion else "Non_fractured"
        write_image(folder / "images" / kind / f"{name}.jpg", picture(number))
        rows.append([f"{name}.jpg", 1, 0, 0, 0, 0, int(patient == 3), 0, int(lesion), int(lesion), 1, 0, 0])
        if form == "PASCAL VOC":
            _write_voc(folder / "Annotations" / form / f"{name}.xml", lesion)
        elif lesion and form == "YOLO":
            (folder / "Annotations" / form).mkdir(parents=True, exist_ok=True)
            (folder / "Annotations" / form / f"{name}.txt").write_text(_yolo(0))
        elif lesion:
            left, top, right, bottom = LESION
            coco["images"].append({"id": number, "file_name": f"{name}.jpg"})
            box = [left, top, right - left, bottom - top]
            coco["annotations"].append({"image_id": number, "category_id": 0, "bbox": box})
    if form == "COCO JSON":
        (folder / "Annotations" / form).mkdir(parents=True)
        (folder / "Annotations" / form / "COCO_fracture_masks.json").write_text(json.dumps(coco))
    write_rows(
        folder / "dataset.csv",
        "image_id,hand,leg,hip,shoulder,mixed,hardware,multiscan,fractured,fracture_count,frontal,lateral,oblique",
        rows,
    )
    return folder


def _write_voc(path: Path, lesion: bool) -> None:
    edges = "".join(
        f"<{name}>{edge}</{name}>"
        for name, edge in zip(("xmin", "ymin", "xmax", "ymax"), LESION, strict=True)
    )
    found = f"<object><name>fractured</name><bndbox>{edges}</bndbox></object>" if lesion else ""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"<annotation><filename>{path.stem}.jpg</filename>{found}</annotation>")


def grazpedwri(folder: Path, *, patients: int = 16) -> Path:
    """GRAZPEDWRI-DX: PNG of 16 bits in two parts, YOLO labels with the text marker that nearly all have."""
    rows: list[list[object]] = []
    labels = folder / "folder_structure" / "yolov5" / "labels"
    labels.mkdir(parents=True)
    for number, patient, image, lesion in _patients(patients):
        stem = f"{patient:04d}_{900000000 + number}_01_WRI-L{image + 1}_F009"
        wide = picture(number).astype(np.uint16) * 20 + 300
        write_image(folder / f"images_part{image + 1}" / f"{stem}.png", wide)
        (labels / f"{stem}.txt").write_text("8 0.9 0.1 0.1 0.1\n" + (_yolo(3) if lesion else ""))
        visible, metal = "1.0" if lesion else "", "1.0" if patient == 3 else ""
        first = [stem, patient, 1, 900000000 + number, "F", "9.5", "L", image + 1, "1.0"]
        rows.append([*first, "23r-M/2.1", "", "", "", visible, metal, "0.144", "Siemens"])
    write_rows(
        folder / "dataset.csv",
        "filestem,patient_id,study_number,timehash,gender,age,laterality,projection,initial_exam,"
        "ao_classification,cast,diagnosis_uncertain,osteopenia,fracture_visible,metal,pixel_spacing,"
        "device_manufacturer",
        rows,
    )
    return folder


def rsna(folder: Path, *, patients: int = 16, has_mapping: bool = True) -> Path:
    """RSNA 2018: DICOM, a row per box, and RSNA's mapping to the NIH's patients."""
    labels: list[list[object]] = []
    classes: list[list[object]] = []
    mapping = []
    images = folder / "stage_2_train_images"
    images.mkdir(parents=True)
    left, top, right, bottom = LESION
    for number, patient, image, lesion in _patients(patients):
        name = uid_of("rsna", str(number))[5:]
        film = Film(
            name=name,
            pixels=picture(number).astype(np.uint16) * 16,
            body_part="CHEST",
            view="PA",
            age="051Y",
            sex="F",
        )
        write(film, images)
        box = [left, top, right - left, bottom - top]
        labels += [[name, *box, 1], [name, 10, 20, 30, 40, 1]] if lesion else [[name, "", "", "", "", 0]]
        classes += [[name, "Lung Opacity"]] * 2 if lesion else [[name, "Normal"]]
        mapping.append({"subset_img_id": name, "img_id": f"{patient:08d}_{image:03d}.png"})
    write_rows(folder / "stage_2_train_labels.csv", "patientId,x,y,width,height,Target", labels)
    write_rows(folder / "stage_2_detailed_class_info.csv", "patientId,class", classes)
    if has_mapping:
        path = folder / "pneumonia-challenge-dataset-mappings_2018.json"
        path.write_text(json.dumps(mapping))
    return folder


def nih(folder: Path, *, patients: int = 16) -> Path:
    """NIH ChestX-ray14: the header of the box list falls apart at its commas, as it really does."""
    rows: list[list[object]] = []
    boxes: list[list[object]] = []
    left, top, right, bottom = LESION
    for number, patient, image, lesion in _patients(patients):
        name = f"{patient:08d}_{image:03d}.png"
        write_image(folder / f"images_{image + 1:03d}" / "images" / name, picture(1000 + number))
        findings = "Infiltration|Pneumonia" if lesion else "No Finding"
        rows.append([name, findings, image, patient, "058Y", "M", "AP", COLUMNS, ROWS, 0.143, 0.143, ""])
        if patient == 1:
            boxes.append([name, "Pneumonia", left, top, right - left, bottom - top, "", "", ""])
        boxes.append([name, "Atelectasis", 1, 1, 9, 9, "", "", ""])
    write_rows(
        folder / "Data_Entry_2017.csv",
        "Image Index,Finding Labels,Follow-up #,Patient ID,Patient Age,Patient Gender,View Position,"
        "OriginalImage[Width,Height],OriginalImagePixelSpacing[x,y],",
        rows,
    )
    write_rows(folder / "BBox_List_2017.csv", "Image Index,Finding Label,Bbox [x,y,w,h],,,", boxes)
    return folder


def kermany(folder: Path, *, patients: int = 16) -> Path:
    """Kermany: person numbers begin again in `test`, and the archive left a Mac's twin behind."""
    root = folder / "chest_xray"
    for number, patient, _, lesion in _patients(patients):
        split = "train" if patient < patients * 3 // 4 else "test"
        kind = "virus" if number % 4 == 3 else "bacteria"
        name = f"person{patient}_{kind}_{number}" if lesion else f"IM-{patient:04d}-{number:04d}"
        write_image(
            root / split / ("PNEUMONIA" if lesion else "NORMAL") / f"{name}.jpeg", picture(2000 + number)
        )
    (root / "train" / "NORMAL" / "._IM-0000-0000.jpeg").write_bytes(b"\0\5\26\7")
    return folder
