from __future__ import annotations

import json

import numpy as np
import pytest

from tests.unit.evaluate.readers import LESION, answer
from wetread.domain import Box
from wetread.evaluate.hits import count_hits, match, overlap
from wetread.evaluate.localisation import localise


def boxes_of(*edges: tuple[float, ...]) -> list[Box]:
    return [Box(*box, 0.5) for box in edges]


@pytest.mark.parametrize(
    ("box", "by_centre", "by_overlap"),
    [
        (LESION, True, True),
        # A large box around: its centre is within, the overlap is small.
        ((0.0, 0.0, 40.0, 40.0), True, False),
        # Half beside: IoU 1/3, and the centre on the edge, which belongs to the lesion.
        ((20.0, 10.0, 40.0, 30.0), True, True),
        # A little further: IoU below 0.3, centre outside.
        ((22.0, 10.0, 42.0, 30.0), False, False),
        # Low and wide: the centre is outside, the overlap is enough.
        ((10.0, 15.0, 51.0, 30.0), False, True),
        ((100.0, 100.0, 120.0, 120.0), False, False),
    ],
)
def test_a_box_hits_by_its_centre_or_by_overlap(
    box: tuple[float, ...], by_centre: bool, by_overlap: bool
) -> None:
    found = match(boxes_of(box), np.array([LESION]))

    assert (bool(found.by_centre[0, 0]), bool(found.by_overlap[0, 0])) == (by_centre, by_overlap)


def test_overlap_is_one_of_the_same_and_nothing_of_the_distant() -> None:
    ratio = overlap(np.array([LESION]), np.array([LESION, (90.0, 90.0, 95.0, 95.0)]))

    assert ratio.tolist() == [[1.0, 0.0]]


def test_two_boxes_on_one_lesion_find_it_once_and_none_is_false() -> None:
    hits = count_hits(match(boxes_of(LESION, LESION, (80, 80, 90, 90)), np.array([LESION])).hit)

    assert (hits.found, hits.lesions, hits.false_boxes) == (1, 1, 1)


def test_no_box_and_no_lesion_are_counted_as_such() -> None:
    nothing = np.zeros((0, 4))

    assert count_hits(match([], np.array([LESION])).hit).found == 0
    assert count_hits(match(boxes_of(LESION), nothing).hit).false_boxes == 1
    assert count_hits(match([], nothing).hit).lesions == 0


def test_the_froc_tells_lesions_found_at_each_rate_of_false_boxes() -> None:
    # Twenty lesions, half of them found with scores above all false boxes; one false box an image below.
    far = (200.0, 200.0, 220.0, 220.0)
    answers = [
        answer(n, 1, 0.9, lesions=[LESION], boxes=[(*LESION, 0.9), (*far, 0.3)] if n < 10 else [(*far, 0.3)])
        for n in range(20)
    ]
    answers += [answer(20 + n, 0, 0.1, lesions=[], boxes=[(*far, 0.2)]) for n in range(20)]

    figures = localise(answers)

    assert figures is not None
    rates = figures["froc"]["lesions_found_at_false_boxes_per_image"]  # type: ignore[index]  # JSON
    assert {rate: found["value"] for rate, found in rates.items()} == {
        "0.25": 0.5,
        "0.5": 0.5,
        "1": 0.5,
        "2": 0.5,
    }
    assert figures["lesions_found"]["value"] == 0.5  # type: ignore[index]  # JSON
    # The negative answers show none of theirs.
    assert figures["false_boxes_per_image"] == 0.5


def test_boxes_of_one_score_pass_together() -> None:
    far = (200.0, 200.0, 220.0, 220.0)
    boxes = [(*LESION, 0.5), *((*far, 0.5) for _ in range(3))]

    figures = localise([answer(n, 1, 0.9, lesions=[LESION], boxes=boxes) for n in range(12)])

    assert figures is not None
    rates = figures["froc"]["lesions_found_at_false_boxes_per_image"]  # type: ignore[index]  # JSON
    # Three false boxes an image come with the lesion: beyond two, so nothing is found before.
    assert [found["value"] for found in rates.values()] == [0.0, 0.0, 0.0, 0.0]


def test_counting_needs_the_number_and_the_places() -> None:
    far = (200.0, 200.0, 220.0, 220.0)
    answers = [
        answer(1, 1, 0.9, lesions=[LESION], boxes=[(*LESION, 0.9)]),
        answer(2, 1, 0.9, lesions=[LESION], boxes=[(*far, 0.9)]),
        answer(3, 1, 0.9, lesions=[LESION, far], boxes=[(*far, 0.9)]),
        answer(4, 0, 0.1, lesions=[], boxes=[(*far, 0.9)]),
    ]

    counting = localise(answers)["counting"]  # type: ignore[index]  # JSON

    assert counting["exact"]["count"] == 3  # type: ignore[index]  # JSON
    assert counting["within_one"]["count"] == 4  # type: ignore[index]  # JSON
    assert counting["count_and_places_right_on_positives"]["count"] == 1  # type: ignore[index]  # JSON
    assert counting["confusion"] == [[1, 0, 0, 0], [0, 2, 0, 0], [0, 1, 0, 0], [0, 0, 0, 0]]  # type: ignore[index]  # JSON


def test_positive_images_without_a_mark_say_nothing_of_places() -> None:
    answers = [answer(n, 1, 0.9, lesions=[], boxes=[(*LESION, 0.9)]) for n in range(3)]

    assert localise(answers) is None
    figures = localise([*answers, answer(9, 1, 0.9, lesions=[LESION], boxes=[(*LESION, 0.9)])])
    assert figures is not None
    assert (figures["images"], figures["positive_images_without_boxes_left_out"]) == (1, 3)


def test_what_is_told_of_boxes_is_json_without_nan() -> None:
    figures = localise([answer(1, 1, 0.1, lesions=[LESION])])

    assert "NaN" not in json.dumps(figures, allow_nan=False)
