"""Boxes against the truth, and the score from which a box is shown."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from wetread.domain import Box

THRESHOLDS = tuple(round(0.04 * step, 2) for step in range(1, 24))
LEAST_OVERLAP = 0.3


class Hits(NamedTuple):
    """Boxes against the truth: lesions found, lesions there, boxes that hit none."""

    found: int
    lesions: int
    false_boxes: int


class Pointed(NamedTuple):
    """One image: whether its boxes are shown at all, all places pointed at, true boxes (n, 4)."""

    is_shown: bool
    candidates: tuple[Box, ...]
    truth: NDArray[np.float32]


def count_hits(boxes: tuple[Box, ...], truth: NDArray[np.float32]) -> Hits:
    """A box hits a lesion when its centre lies in it or their overlap (IoU) is at least 0.3."""
    matrix = np.array([[_is_hit(box, lesion) for lesion in truth] for box in boxes], bool)
    if not len(boxes) or not len(truth):
        return Hits(0, len(truth), len(boxes))
    return Hits(int(matrix.any(axis=0).sum()), len(truth), int((~matrix.any(axis=1)).sum()))


def _is_hit(box: Box, lesion: NDArray[np.float32]) -> bool:
    x, y = (box.left + box.right) / 2, (box.top + box.bottom) / 2
    if lesion[0] <= x <= lesion[2] and lesion[1] <= y <= lesion[3]:
        return True
    width = min(box.right, lesion[2]) - max(box.left, lesion[0])
    height = min(box.bottom, lesion[3]) - max(box.top, lesion[1])
    shared = max(0.0, width) * max(0.0, height)
    areas = (box.right - box.left) * (box.bottom - box.top) + (lesion[2] - lesion[0]) * (
        lesion[3] - lesion[1]
    )
    return bool(shared >= LEAST_OVERLAP * (areas - shared))


def choose_threshold(images: list[Pointed]) -> tuple[float, list[dict[str, float]]]:
    """The score with the best F1 of boxes over the images that would be shown boxes, and all tried."""
    table = [_at(images, threshold) for threshold in THRESHOLDS]
    return max(table, key=lambda row: row["f1"])["threshold"], table


def _at(images: list[Pointed], threshold: float) -> dict[str, float]:
    hits = [
        count_hits(
            tuple(b for b in image.candidates if image.is_shown and b.probability >= threshold), image.truth
        )
        for image in images
    ]
    found, lesions, wrong = (sum(column) for column in zip(*hits, strict=True))
    return {
        "threshold": threshold,
        "hit_rate": round(found / max(1, lesions), 4),
        "false_boxes_per_image": round(wrong / len(images), 4),
        "f1": round(2 * found / max(1, found + wrong + lesions), 4),
    }
