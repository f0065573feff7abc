"""How well boxes find lesions (FROC, hit rates) and count them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from wetread.evaluate.figures import Figures, proportion
from wetread.evaluate.hits import HIT_RULE, Hits, count_hits, match
from wetread.evaluate.reading import Answer
from wetread.evaluate.sample import Flags, Numbers, draw, rounded, to_groups

# False boxes per image at which the share of lesions found is told.
FALSE_BOXES_PER_IMAGE = (0.25, 0.5, 1.0, 2.0)
MOST_COUNTED = 3
_MOST_CURVE_POINTS = 200


@dataclass(frozen=True, slots=True)
class Events:
    """Every candidate box that counts, over all images, strongest first: score, image, and what it is.

    A lesion counts with the strongest box that hits it; a box that hits no lesion is false.
    """

    scores: Numbers
    images: NDArray[np.int64]
    is_lesion: Numbers


def localise(answers: Sequence[Answer]) -> Figures | None:
    """All figures of the boxes, over images whose lesions are known; None without any lesion."""
    kept = [answer for answer in answers if is_marked(answer)]
    if not any(len(_lesions(answer)) for answer in kept):
        return None
    unmarked = sum(answer.is_evaluable and not is_marked(answer) for answer in answers)
    return {
        "hit": HIT_RULE,
        "images": len(kept),
        "positive_images_without_boxes_left_out": unmarked,
        "lesions": sum(len(_lesions(answer)) for answer in kept),
        **_shown(kept),
        "froc": froc(kept),
        "counting": count_boxes(kept),
    }


def is_marked(answer: Answer) -> bool:
    """Whether the image got an answer and its lesions, or that it has none, are known."""
    case = answer.case
    if not answer.is_evaluable or case.lesions is None:
        return False
    return case.label == 0 or len(case.lesions) > 0


def _lesions(answer: Answer) -> Numbers:
    lesions = answer.case.lesions
    return np.zeros((0, 4)) if lesions is None else lesions


def _shown(kept: Sequence[Answer]) -> Figures:
    """The boxes that the service would show."""
    matches = [match(answer.shown, _lesions(answer)) for answer in kept]
    hits = [count_hits(found.hit) for found in matches]
    positives = [hit for hit in hits if hit.lesions]
    strongest = [
        bool(match(answer.candidates[:1], _lesions(answer)).hit.any())
        for answer in kept
        if len(_lesions(answer))
    ]
    return {
        "lesions_found": _found(hits),
        "lesions_found_by_centre": _found([count_hits(found.by_centre) for found in matches]),
        "lesions_found_by_overlap": _found([count_hits(found.by_overlap) for found in matches]),
        "positive_images_with_a_hit": proportion(sum(hit.found > 0 for hit in positives), len(positives)),
        "strongest_box_hits": proportion(sum(strongest), len(strongest)),
        "false_boxes_per_image": rounded(sum(hit.false_boxes for hit in hits) / len(hits)),
    }


def _found(hits: Sequence[Hits]) -> Figures | None:
    return proportion(sum(hit.found for hit in hits), sum(hit.lesions for hit in hits))


def froc(kept: Sequence[Answer]) -> Figures:
    """Lesions found against false boxes per image, over all thresholds on the score of the candidates."""
    events = to_events(kept)
    lesions = np.array([len(_lesions(answer)) for answer in kept], dtype=np.float64)
    groups = to_groups([answer.case for answer in kept])
    sensitivities: Figures = {}
    for rate in FALSE_BOXES_PER_IMAGE:
        drawn = draw(partial(_at_rate, events, lesions, rate), groups)
        sensitivities[f"{rate:g}"] = {"value": rounded(drawn.value), "interval": drawn.interval}
    false_boxes, found = _curve(events, lesions, np.ones(len(kept)))
    places = np.unique(np.linspace(0, len(found) - 1, _MOST_CURVE_POINTS).round().astype(int))
    return {
        "lesions_found_at_false_boxes_per_image": sensitivities,
        "curve": [[rounded(false_boxes[place]), rounded(found[place])] for place in places],
    }


def to_events(kept: Sequence[Answer]) -> Events:
    """The candidates of all images that count, sorted."""
    scores, images, is_lesion = [], [], []
    for number, answer in enumerate(kept):
        matrix = match(answer.candidates, _lesions(answer)).hit
        strength = np.array([box.probability for box in answer.candidates], dtype=np.float64)
        best = np.where(matrix, strength[:, None], -1.0).max(axis=0, initial=-1.0)
        false = strength[~matrix.any(axis=1)]
        found = best[best >= 0]
        scores += [*found, *false]
        images += [number] * (len(found) + len(false))
        is_lesion += [1.0] * len(found) + [0.0] * len(false)
    order = np.argsort(-np.array(scores, dtype=np.float64), kind="stable")
    return Events(
        np.array(scores, dtype=np.float64)[order],
        np.array(images, dtype=np.int64)[order],
        np.array(is_lesion, dtype=np.float64)[order],
    )


def _curve(events: Events, lesions: Numbers, weights: Numbers) -> tuple[Numbers, Numbers]:
    """False boxes per image and share of lesions found, after each distinct score; starts at nothing."""
    counted = weights[events.images]
    found = np.cumsum(counted * events.is_lesion)
    false = np.cumsum(counted * (1.0 - events.is_lesion))
    # Boxes of one score pass a threshold together.
    last = np.flatnonzero(np.diff(events.scores, append=-1.0))
    total, images = float(weights @ lesions), float(weights.sum())
    if not total:
        return np.zeros(1), np.full(1, np.nan)
    return np.append(0.0, false[last] / images), np.append(0.0, found[last] / total)


def _at_rate(events: Events, lesions: Numbers, rate: float, weights: Numbers) -> float:
    """The largest share of lesions found while false boxes stay within `rate` per image."""
    false_boxes, found = _curve(events, lesions, weights)
    return float(found[false_boxes <= rate].max())


def count_boxes(kept: Sequence[Answer]) -> Figures:
    """Shown boxes against lesions: the numbers, and whether number and places are right.

    `confusion` has a row per true number, a column per shown number, 0 to 3; the last is "or more".
    """
    true = np.array([len(_lesions(answer)) for answer in kept])
    shown = np.array([len(answer.shown) for answer in kept])
    matrices = [match(answer.shown, _lesions(answer)).hit for answer in kept]
    right = [_is_right(matrix) for matrix in matrices]
    confusion = np.zeros((MOST_COUNTED + 1, MOST_COUNTED + 1), dtype=np.int64)
    np.add.at(confusion, (np.minimum(true, MOST_COUNTED), np.minimum(shown, MOST_COUNTED)), 1)
    ill = true > 0
    return {
        "exact": proportion(int((true == shown).sum()), len(true)),
        "within_one": proportion(int((abs(true - shown) <= 1).sum()), len(true)),
        "exact_on_positives": proportion(int((true == shown)[ill].sum()), int(ill.sum())),
        "count_and_places_right_on_positives": proportion(
            sum(r for r, is_ill in zip(right, ill, strict=True) if is_ill), int(ill.sum())
        ),
        "no_box_on_negatives": proportion(int((shown == 0)[~ill].sum()), int((~ill).sum())),
        "confusion": confusion.tolist(),
    }


def _is_right(matrix: Flags) -> bool:
    hits = count_hits(matrix)
    return matrix.shape[0] == matrix.shape[1] and hits.found == hits.lesions and not hits.false_boxes
