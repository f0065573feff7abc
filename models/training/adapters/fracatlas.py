"""FracAtlas (Abedeen et al., Scientific Data 10:521, 2023), as in figshare 22363012: FracAtlas.zip.

`dataset.csv`, `images/Fractured`, `images/Non_fractured`, and `Annotations` in several forms, of which
one is enough: `PASCAL VOC`, `YOLO` or `COCO JSON` is read, in this order.

The set names no patients. Images were numbered in the order of the hospitals' exports, so neighbours
often show one patient: `NEIGHBOURS` consecutive numbers make a group.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

from training.adapters.annotations import coco_boxes, voc_boxes, yolo_boxes
from training.adapters.film import Corners, Film, PublicSet
from training.adapters.published import NotAsPublished, first_that_is, is_yes, read_table

PARTS = ("hand", "leg", "hip", "shoulder", "mixed")
VIEWS = ("frontal", "lateral", "oblique")
COLUMNS = ("image_id", *PARTS, "hardware", "multiscan", "fractured", "fracture_count", *VIEWS)
NEIGHBOURS = 12
YOLO_FRACTURE = frozenset({0})

BoxesOf = Callable[[str], tuple[Corners, ...]]


def read(source: Path) -> list[Film]:
    """One film per row of dataset.csv; body parts and views as comma lists, as the table flags them."""
    rows = read_table(source / "dataset.csv", COLUMNS)
    boxes_of, is_relative = _annotations(source / "Annotations")
    return [_film(source, row, boxes_of, is_relative) for row in rows]


def _film(source: Path, row: dict[str, str], boxes_of: BoxesOf, is_relative: bool) -> Film:
    label = int(is_yes(row["fractured"]))
    folder = "Fractured" if label else "Non_fractured"
    return Film(
        path=source / "images" / folder / row["image_id"],
        label=label,
        group=f"fracatlas_{_number(row['image_id']) // NEIGHBOURS:04d}",
        boxes=boxes_of(row["image_id"]),
        is_relative=is_relative,
        is_patient_known=False,
        quality="2 radiologists, checked by an orthopaedist",
        facts={
            "body_part": ",".join(name for name in PARTS if is_yes(row[name])),
            "views": ",".join(name for name in VIEWS if is_yes(row[name])),
            "hardware": str(int(is_yes(row["hardware"]))),
            "multiscan": str(int(is_yes(row["multiscan"]))),
            "fracture_count": row["fracture_count"],
        },
    )


def _number(image: str) -> int:
    found = re.fullmatch(r"IMG(\d+)\.jpg", image)
    if found is None:
        raise NotAsPublished(f"dataset.csv names {image}, not an image such as IMG0000019.jpg")
    return int(found[1])


def _annotations(folder: Path) -> tuple[BoxesOf, bool]:
    voc, yolo = folder / "PASCAL VOC", folder / "YOLO"
    if voc.is_dir():
        return lambda image: voc_boxes(voc / f"{Path(image).stem}.xml"), False
    if yolo.is_dir():
        return lambda image: yolo_boxes(yolo / f"{Path(image).stem}.txt", YOLO_FRACTURE), True
    coco = first_that_is((folder / "COCO JSON").glob("*.json"))
    if coco is None:
        raise NotAsPublished(f"{folder} holds neither PASCAL VOC nor YOLO nor COCO JSON")
    table = coco_boxes(coco)
    return lambda image: table.get(image, ()), False


SET = PublicSet(
    name="fracatlas",
    title="FracAtlas",
    licence="FracAtlas (Abedeen et al. 2023, Sci Data 10:521; figshare 22363012): CC BY 4.0",
    negative="no_fracture",
    positive="fracture",
    read=read,
)
