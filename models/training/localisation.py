"""How well the boxes find the lesions."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from training.boxes import count_hits
from training.figures import proportion
from wetread.domain import Box

FALSE_BOXES_PER_IMAGE = 0.5


class Marked(NamedTuple):
    """One image: probability, whether its boxes are shown (not negative), boxes, true boxes (n, 4)."""

    probability: float
    is_shown: bool
    boxes: tuple[Box, ...]
    truth: NDArray[np.float32]


def describe_boxes(marks: list[Marked]) -> dict[str, object]:
    """Hit rates of the boxes as shown, and the sensitivity at half a false box per image."""
    hits = [count_hits(mark.boxes if mark.is_shown else (), mark.truth) for mark in marks]
    positives = [hit for hit in hits if hit.lesions]
    strongest = [count_hits(mark.boxes[:1], mark.truth).found > 0 for mark in marks if len(mark.truth)]
    return {
        "hit": "box centre inside the true box, or overlap (IoU) of at least 0.3",
        "lesions_found": proportion(sum(hit.found for hit in hits), sum(hit.lesions for hit in hits)),
        "positive_images_with_a_hit": proportion(sum(hit.found > 0 for hit in positives), len(positives)),
        "strongest_box_hits": proportion(sum(strongest), len(strongest)),
        "false_boxes_per_image": round(sum(hit.false_boxes for hit in hits) / len(marks), 4),
        "lesions_found_at_half_a_false_box_per_image": round(_at_rate(marks, FALSE_BOXES_PER_IMAGE), 4),
    }


def _at_rate(marks: list[Marked], rate: float) -> float:
    """The largest share of lesions found while false boxes stay within `rate` per image."""
    scores = sorted(
        {mark.probability * box.probability for mark in marks for box in mark.boxes}, reverse=True
    )
    best = 0.0
    for least in scores[:: max(1, len(scores) // 300)]:
        kept = [
            count_hits(tuple(b for b in mark.boxes if mark.probability * b.probability >= least), mark.truth)
            for mark in marks
        ]
        if sum(hit.false_boxes for hit in kept) > rate * len(marks):
            break
        best = max(best, sum(hit.found for hit in kept) / sum(hit.lesions for hit in kept))
    return best
