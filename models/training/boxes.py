"""The score from which a box is shown, by the hit rule that evaluation measures with."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from wetread.domain import Box
from wetread.evaluate.hits import Hits, count_hits, match

THRESHOLDS = tuple(round(0.04 * step, 2) for step in range(1, 24))


class Pointed(NamedTuple):
    """One image: whether its boxes are shown at all, all places pointed at, true boxes (n, 4)."""

    is_shown: bool
    candidates: tuple[Box, ...]
    truth: NDArray[np.float32]


def choose_threshold(images: list[Pointed]) -> tuple[float, list[dict[str, float]]]:
    """The score with the best F1 of boxes over the images that would be shown boxes, and all tried."""
    table = [_at(images, threshold) for threshold in THRESHOLDS]
    return max(table, key=lambda row: row["f1"])["threshold"], table


def _at(images: list[Pointed], threshold: float) -> dict[str, float]:
    hits = [_hits(image, threshold) for image in images]
    found, lesions = sum(part.found for part in hits), sum(part.lesions for part in hits)
    wrong = sum(part.false_boxes for part in hits)
    return {
        "threshold": threshold,
        "hit_rate": round(found / max(1, lesions), 4),
        "false_boxes_per_image": round(wrong / len(images), 4),
        "f1": round(2 * found / max(1, found + wrong + lesions), 4),
    }


def _hits(image: Pointed, threshold: float) -> Hits:
    shown = [box for box in image.candidates if image.is_shown and box.probability >= threshold]
    return count_hits(match(shown, image.truth.astype(np.float64)).hit)
