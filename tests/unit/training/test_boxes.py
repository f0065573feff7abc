"""The score from which a box is shown."""

from __future__ import annotations

import numpy as np

from training import boxes
from training.boxes import Pointed, choose_threshold
from wetread.domain import Box
from wetread.evaluate import hits

LESION = np.array([[10, 10, 30, 30]], np.float32)
NOTHING = np.empty((0, 4), np.float32)
ON, OFF = (12.0, 12.0, 28.0, 28.0), (60.0, 60.0, 80.0, 80.0)


def test_the_threshold_parts_boxes_that_hit_from_boxes_that_do_not() -> None:
    images = [
        Pointed(True, (Box(*ON, 0.8), Box(*OFF, 0.5)), LESION),
        Pointed(True, (Box(*OFF, 0.6),), NOTHING),
        Pointed(True, (), NOTHING),
    ]

    threshold, tried = choose_threshold(images)

    assert 0.6 < threshold <= 0.8
    row = next(row for row in tried if row["threshold"] == threshold)
    assert (row["hit_rate"], row["false_boxes_per_image"], row["f1"]) == (1.0, 0.0, 1.0)


def test_an_image_that_is_not_shown_boxes_misses_its_lesions_and_has_no_false_box() -> None:
    _, tried = choose_threshold([Pointed(False, (Box(*ON, 0.8), Box(*OFF, 0.7)), LESION)])

    assert {(row["hit_rate"], row["false_boxes_per_image"]) for row in tried} == {(0.0, 0.0)}


def test_training_and_evaluation_count_a_hit_by_one_rule() -> None:
    assert boxes.count_hits is hits.count_hits
    assert boxes.match is hits.match
