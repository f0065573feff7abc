"""When a box hits a lesion, and what that makes of a list of boxes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from wetread.domain import Box
from wetread.evaluate.cases import Rectangles
from wetread.evaluate.sample import Flags, Numbers

LEAST_OVERLAP = 0.3
HIT_RULE = "its centre lies in the true box, or their overlap (IoU) is at least 0.3"


@dataclass(frozen=True, slots=True)
class Matches:
    """Which of n boxes hit which of m lesions, (n, m) each: by the centre of the box, and by overlap."""

    by_centre: Flags
    by_overlap: Flags

    @property
    def hit(self) -> Flags:
        """By either rule."""
        return self.by_centre | self.by_overlap


@dataclass(frozen=True, slots=True)
class Hits:
    """Lesions found and lesions there; boxes that hit none. Two boxes on one lesion find it once."""

    found: int
    lesions: int
    false_boxes: int


def match(boxes: Sequence[Box], lesions: Rectangles) -> Matches:
    """Compare boxes with lesions (m, 4); the edges of a lesion belong to it."""
    drawn = to_rectangles(boxes)
    middle = (drawn[:, None, :2] + drawn[:, None, 2:]) / 2
    within = (middle >= lesions[None, :, :2]) & (middle <= lesions[None, :, 2:])
    return Matches(np.asarray(within.all(axis=2)), np.asarray(overlap(drawn, lesions) >= LEAST_OVERLAP))


def overlap(first: Rectangles, second: Rectangles) -> Numbers:
    """Intersection over union of every pair, (n, m)."""
    least = np.maximum(first[:, None, :2], second[None, :, :2])
    most = np.minimum(first[:, None, 2:], second[None, :, 2:])
    shared = np.prod(np.clip(most - least, 0.0, None), axis=2)
    areas = np.prod(first[:, 2:] - first[:, :2], axis=1)[:, None]
    others = np.prod(second[:, 2:] - second[:, :2], axis=1)[None, :]
    ratio: Numbers = shared / (areas + others - shared)
    return ratio


def count_hits(matrix: Flags) -> Hits:
    """Sum up a matrix of boxes by lesions."""
    boxes, lesions = matrix.shape
    return Hits(int(matrix.any(axis=0).sum()), lesions, boxes - int(matrix.any(axis=1).sum()))


def to_rectangles(boxes: Sequence[Box]) -> Rectangles:
    """Boxes as (n, 4)."""
    edges = [(box.left, box.top, box.right, box.bottom) for box in boxes]
    return np.array(edges, dtype=np.float64).reshape(-1, 4)
