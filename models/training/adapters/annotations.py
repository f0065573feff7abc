"""Boxes in the three common forms: YOLO text, Pascal VOC and COCO."""

from __future__ import annotations

import json
from collections import defaultdict
from pathlib import Path
from xml.etree import ElementTree

from training.adapters.film import Corners
from training.adapters.published import NotAsPublished

VOC_EDGES = ("xmin", "ymin", "xmax", "ymax")


def yolo_boxes(path: Path, classes: frozenset[int]) -> tuple[Corners, ...]:
    """Boxes of these classes, as shares of width and height; a file that is not there holds none."""
    if not path.is_file():
        return ()
    boxes = []
    for line in path.read_text(encoding="utf-8").splitlines():
        if not line.strip():
            continue
        try:
            number, x, y, width, height = (float(word) for word in line.split())
        except ValueError as error:
            raise NotAsPublished(f"{path} is not in YOLO form: {line.strip()}") from error
        if int(number) in classes:
            boxes.append((x - width / 2, y - height / 2, x + width / 2, y + height / 2))
    return tuple(boxes)


def voc_boxes(path: Path) -> tuple[Corners, ...]:
    """All boxes of one Pascal VOC file, in pixels; a file that is not there holds none."""
    if not path.is_file():
        return ()
    try:
        boxes = ElementTree.parse(path).getroot().iter("bndbox")
        edges = [[float(box.findtext(edge) or "none") for edge in VOC_EDGES] for box in boxes]
    except (ElementTree.ParseError, ValueError) as error:
        raise NotAsPublished(f"{path} is not in Pascal VOC form: {error}") from error
    return tuple((left, top, right, bottom) for left, top, right, bottom in edges)


def coco_boxes(path: Path) -> dict[str, tuple[Corners, ...]]:
    """All boxes of a COCO file by image file name, in pixels."""
    try:
        table = json.loads(path.read_text(encoding="utf-8"))
        names = {image["id"]: image["file_name"] for image in table["images"]}
        boxes: dict[str, list[Corners]] = defaultdict(list)
        for annotation in table["annotations"]:
            left, top, width, height = (float(edge) for edge in annotation["bbox"])
            boxes[names[annotation["image_id"]]].append((left, top, left + width, top + height))
    except (KeyError, TypeError, ValueError) as error:
        raise NotAsPublished(f"{path} is not in COCO form: {error}") from error
    return {name: tuple(several) for name, several in boxes.items()}
