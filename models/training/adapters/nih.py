"""NIH ChestX-ray14 (Wang et al., CVPR 2017), as in the NIH's Box folder or on Kaggle.

`Data_Entry_2017.csv` or its edition of 2020, `BBox_List_2017.csv`, and the images in `images` or
`images_001/images` to `images_012/images`.

Labels were mined from reports and are right in fewer than half of the positives, so every film is weak:
it may serve side tasks and pre-training, never as truth. Boxes drawn by a radiologist for Pneumonia
(120 in all) are handed on.
"""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path

from training.adapters.film import Corners, Film, PublicSet
from training.adapters.published import (
    NotAsPublished,
    first_that_is,
    images_below,
    read_table,
    to_years,
)

TABLES = ("Data_Entry_2017_v2020.csv", "Data_Entry_2017.csv")
COLUMNS = ("Image Index", "Finding Labels", "Patient ID", "Patient Age", "View Position")
# The first edition says Gender, the later one Sex.
SEX_COLUMNS = ("Patient Gender", "Patient Sex")
BOXES = "BBox_List_2017.csv"
# As published: the header "Bbox [x,y,w,h]" falls apart at its commas.
BOX_COLUMNS = ("Bbox [x", "y", "w", "h]")
PNEUMONIA = "Pneumonia"
IMAGE_PATTERNS = ("images/*", "images_*/*", "images_*/images/*")


def read(source: Path) -> list[Film]:
    """One film per row of the table; label 1 where the report mentions pneumonia."""
    table = first_that_is(source / name for name in TABLES) or source / TABLES[-1]
    rows = read_table(table, COLUMNS)
    sex_column = next((name for name in SEX_COLUMNS if rows and name in rows[0]), None)
    if rows and sex_column is None:
        raise NotAsPublished(f"{table} has no column {' or '.join(SEX_COLUMNS)}")
    boxes = _boxes(source / BOXES)
    images = images_below(source, IMAGE_PATTERNS)
    return [_film(source, row, images, boxes, row[sex_column or ""]) for row in rows]


def _film(
    source: Path, row: dict[str, str], images: dict[str, Path], boxes: dict[str, list[Corners]], sex: str
) -> Film:
    name, findings = row["Image Index"], row["Finding Labels"]
    return Film(
        path=images.get(name, source / "images" / name),
        label=int(PNEUMONIA in findings.split("|")),
        group=f"nih_{name.partition('_')[0]}",
        boxes=tuple(boxes[name]),
        is_weak=True,
        quality="weak_nih_nlp",
        facts={
            "age": to_years(row["Patient Age"]),
            "sex": sex,
            "view": row["View Position"],
            "nih_nlp_labels": findings,
            "rsna_class": "",
            "nih_image": name,
        },
    )


def _boxes(path: Path) -> dict[str, list[Corners]]:
    boxes: dict[str, list[Corners]] = defaultdict(list)
    for row in read_table(path, ("Image Index", "Finding Label", *BOX_COLUMNS)):
        if row["Finding Label"] != PNEUMONIA:
            continue
        try:
            left, top, width, height = (float(row[edge]) for edge in BOX_COLUMNS)
        except ValueError as error:
            raise NotAsPublished(f"{path} has no numbers for the box of {row['Image Index']}") from error
        boxes[row["Image Index"]].append((left, top, left + width, top + height))
    return boxes


SET = PublicSet(
    name="nih",
    title="NIH ChestX-ray14",
    licence="NIH ChestX-ray14: no restrictions on use, attribution and citation asked (Wang et al. 2017)",
    negative="no_pneumonia_in_report",
    positive="pneumonia_in_report",
    read=read,
)
