"""Probability, zone, boxes in original pixels, and a heat map that spans the image."""

from __future__ import annotations

import math

import numpy as np
import pytest
from numpy.typing import NDArray

from wetread.domain import Box, Zone
from wetread.infer.interpret import MOST_BOXES, calibrated, crop_to_image, find_boxes, interpret
from wetread.infer.manifest import Calibration, FindingSpec, InputSpec, Manifest
from wetread.infer.outputs import Outputs
from wetread.infer.prepare import place

INPUT = InputSpec(name="image", rows=80, columns=80, channels=1, fit="letterbox", mean=0, std=1)
SQUARE = INPUT.model_copy(update={"fit": "square"})
FINDING = FindingSpec.model_validate(
    {
        "label": "Fracture",
        "code": {"value": "125605004", "scheme": "SCT", "meaning": "Fracture of bone"},
        "operating_points": {"sensitive": 0.2, "specific": 0.6},
        "calibration": {"a": 2.0, "b": -1.0},
        "boxes": {"threshold": 0.5},
    }
)

MANIFEST = Manifest.model_validate(
    {
        "schema": 2,
        "name": "test",
        "version": "1.0.0",
        "title": "Test",
        "intended_use": "Tests.",
        "licence": "Apache-2.0",
        "device_uid": "2.25.1",
        "input": INPUT,
        "output": {
            "kind": "classification",
            "logits": "logits",
            "activation": "sigmoid",
            "heat_map": "heat_map",
        },
        "findings": [FINDING],
        "reads": {"modalities": ["DX"], "sop_classes": ["1.2"]},
        "files": {},
    }
)


def cells(*hot: tuple[int, int, float], shape: tuple[int, int] = (8, 8)) -> NDArray[np.float32]:
    """A cold heat map with some hot cells: (row, column, value)."""
    heat_map = np.zeros(shape, dtype=np.float32)
    for row, column, value in hot:
        heat_map[row, column] = value
    return heat_map


def test_calibration_is_a_sigmoid_of_the_scaled_logit() -> None:
    probability = calibrated(1.5, Calibration(a=2.0, b=-1.0))

    assert probability == pytest.approx(1 / (1 + math.exp(-2.0)))


@pytest.mark.parametrize(("logit", "expected"), [(1e6, 1.0), (-1e6, 0.0)])
def test_calibration_does_not_overflow(logit: float, expected: float) -> None:
    assert calibrated(logit, Calibration(a=1.0, b=0.0)) == expected


@pytest.mark.parametrize(
    ("logit", "zone"), [(-2.0, Zone.NEGATIVE), (0.3, Zone.DOUBTFUL), (3.0, Zone.POSITIVE)]
)
def test_the_zone_follows_the_calibrated_probability(logit: float, zone: Zone) -> None:
    placement = place(160, 160, INPUT)

    outputs = Outputs(logits=np.array([logit], np.float32), heat_maps=cells((2, 3, 0.9))[None])

    (read,) = interpret(MANIFEST, placement, outputs)

    assert read.finding.zone is zone
    assert bool(read.finding.boxes) is (zone is not Zone.NEGATIVE)
    assert read.finding.code.value == "125605004"
    assert read.finding.heat_map is None


def test_a_box_lies_on_cell_borders_in_original_pixels() -> None:
    placement = place(1600, 1600, SQUARE)

    boxes = find_boxes(cells((2, 3, 0.9), (3, 3, 0.7)), SQUARE, placement, threshold=0.5)

    assert boxes == (Box(left=600, top=400, right=800, bottom=800, probability=pytest.approx(0.9)),)


def test_a_box_of_a_letterboxed_image_is_moved_and_scaled() -> None:
    # 800 x 400 in 80 x 80: the image fills columns 20 to 60, ten pixels to one.
    placement = place(800, 400, INPUT)

    boxes = find_boxes(cells((0, 2, 0.9)), INPUT, placement, threshold=0.5)

    assert boxes == (Box(left=0, top=0, right=100, bottom=100, probability=pytest.approx(0.9)),)


def test_a_box_is_clipped_to_the_image() -> None:
    # 800 x 700: the image starts half-way into the first column of cells.
    placement = place(800, 700, INPUT)

    boxes = find_boxes(cells((7, 0, 0.9), (7, 7, 0.8)), INPUT, placement, threshold=0.5)

    assert boxes[0].left == 0
    assert boxes[0].right == pytest.approx(50)
    assert boxes[0].bottom == 800
    assert boxes[1].right == 700


def test_heat_in_the_letterbox_makes_no_box() -> None:
    placement = place(800, 400, INPUT)

    boxes = find_boxes(cells((4, 0, 1.0), (4, 4, 0.6)), INPUT, placement, threshold=0.5)

    assert [box.probability for box in boxes] == [pytest.approx(0.6)]


def test_boxes_come_strongest_first_and_not_without_end() -> None:
    hot = [
        (row, column, 0.5 + (8 * row + column) / 200) for row in range(0, 8, 2) for column in range(0, 8, 2)
    ]

    boxes = find_boxes(cells(*hot), SQUARE, place(80, 80, SQUARE), threshold=0.5)

    strengths = [box.probability for box in boxes]
    assert len(boxes) == MOST_BOXES
    assert strengths == sorted(strengths, reverse=True)
    assert strengths[0] == pytest.approx(max(value for _, _, value in hot))


def test_cells_that_touch_at_a_corner_are_one_box() -> None:
    boxes = find_boxes(cells((1, 1, 0.9), (2, 2, 0.8)), SQUARE, place(80, 80, SQUARE), threshold=0.5)

    assert len(boxes) == 1


def test_a_finding_without_a_cell_above_the_threshold_gets_the_place_of_its_peak() -> None:
    heat_map = cells((5, 5, 0.4), (5, 6, 0.21), (5, 7, 0.1), (1, 1, 0.3))

    boxes = find_boxes(heat_map, SQUARE, place(80, 80, SQUARE), threshold=0.5)

    assert boxes == (Box(left=50, top=50, right=70, bottom=60, probability=pytest.approx(0.4)),)


def test_a_finding_with_a_cold_heat_map_gets_the_whole_image() -> None:
    boxes = find_boxes(cells(), INPUT, place(800, 400, INPUT), threshold=0.5)

    assert boxes == (Box(left=0, top=0, right=400, bottom=800, probability=0.0),)


def test_a_box_is_at_least_a_pixel_wide() -> None:
    placement = place(40, 4, INPUT)

    boxes = find_boxes(cells((0, 39, 0.9), shape=(80, 80)), INPUT, placement, threshold=0.5)

    assert boxes[0].right - boxes[0].left >= 1
    assert boxes[0].bottom - boxes[0].top >= 1
    assert boxes[0].left >= 0


@pytest.mark.parametrize("shape", [(800, 400), (400, 800), (777, 500), (640, 640), (13, 2000)])
@pytest.mark.parametrize("fit", ["letterbox", "square"])
def test_boxes_never_leave_the_image(shape: tuple[int, int], fit: str) -> None:
    spec = INPUT.model_copy(update={"fit": fit})
    rng = np.random.default_rng(11)

    for _ in range(20):
        boxes = find_boxes(rng.random((7, 9), dtype=np.float32), spec, place(*shape, spec), threshold=0.8)

        assert boxes
        assert all(0 <= b.left < b.right <= shape[1] and 0 <= b.top < b.bottom <= shape[0] for b in boxes)


def test_the_heat_map_loses_its_letterbox_exactly() -> None:
    heat_map = np.random.default_rng(5).random((8, 8), dtype=np.float32)

    cropped = crop_to_image(heat_map, INPUT, place(800, 400, INPUT))

    assert cropped.dtype == np.float16
    assert np.array_equal(cropped, heat_map[:, 2:6].astype(np.float16))


def test_the_heat_map_of_a_square_fit_is_kept() -> None:
    heat_map = np.random.default_rng(5).random((8, 8), dtype=np.float32)

    cropped = crop_to_image(heat_map, SQUARE, place(800, 400, SQUARE))

    assert np.array_equal(cropped, heat_map.astype(np.float16))


def test_the_heat_map_spans_the_image_where_borders_cut_cells() -> None:
    # A ramp along x, 0 at the left edge of the input and 1 at its right.
    ramp = np.tile((np.arange(16, dtype=np.float32) + 0.5) / 16, (16, 1))

    cropped = crop_to_image(ramp, INPUT, place(800, 620, INPUT))

    # The image covers 9/80 to 71/80 of the input: so do the centres of its cells.
    columns = cropped.shape[1]
    expected = (9 + (np.arange(columns) + 0.5) * 62 / columns) / 80
    assert np.allclose(cropped[0], expected, atol=2e-3)
