"""Tensors of a network are held against its manifest before anything is made of them."""

from __future__ import annotations

import tomllib

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.bundles import examples
from wetread.domain import Box, Zone
from wetread.errors import Rejected
from wetread.infer.interpret import interpret
from wetread.infer.manifest import Manifest
from wetread.infer.outputs import Detections, Outputs, read_outputs, tensor_names
from wetread.infer.prepare import place


def detector(**output: str) -> Manifest:
    table = tomllib.loads(examples()["bone-boxes"])
    table["output"] |= output
    return Manifest.model_validate({**table, "files": {}})


def tensors(**more: NDArray[np.generic]) -> dict[str, NDArray[np.generic]]:
    """Two boxes and a row of padding."""
    boxes = np.array([[[200, 10, 300, 90], [250, 300, 350, 500], [np.nan] * 4]], np.float32)
    return {"boxes": boxes, "scores": np.array([[0.3, 0.8, 0.0]], np.float32), **more}


def test_the_outputs_that_a_manifest_names_are_asked_for() -> None:
    assert tensor_names(detector()) == {"boxes": "boxes", "scores": "scores"}
    assert tensor_names(detector(logits="z", heat_map="cam")) == {
        "logits": "z",
        "heat_map": "cam",
        "boxes": "boxes",
        "scores": "scores",
    }


def test_padding_may_hold_anything() -> None:
    outputs = read_outputs(detector(), tensors())

    assert outputs.detections is not None
    assert outputs.detections.scores.tolist() == pytest.approx([0.3, 0.8])


@pytest.mark.parametrize(
    ("more", "says"),
    [
        ({"scores": np.array([[0.3, np.nan, 0.0]], np.float32)}, "no number"),
        ({"scores": np.array([[0.3, 1.2, 0.0]], np.float32)}, "leaves 0..1"),
        ({"scores": np.array([[0.3, 0.8]], np.float32)}, "differ in number"),
        ({"scores": np.array([0.3, 0.8, 0.0], np.float32)}, "scores is"),
        ({"boxes": np.zeros((1, 3, 5), np.float32)}, "boxes is"),
        ({"boxes": np.full((1, 3, 4), np.inf, np.float32)}, "no number"),
        ({"logits": np.full((1, 1), np.inf, np.float32)}, "no number"),
        ({"logits": np.zeros((1, 0), np.float32)}, "0 logits"),
        ({"heat_map": np.full((1, 1, 2, 2), 7, np.float32)}, "leaves 0..1"),
    ],
    ids=str,
)
def test_an_answer_that_the_manifest_does_not_say_is_refused(
    more: dict[str, NDArray[np.generic]], says: str
) -> None:
    with pytest.raises(Rejected, match=says) as caught:
        read_outputs(detector(), tensors(**more))

    assert caught.value.code == "model_output"


@pytest.mark.parametrize("kind", [np.int64, np.float32])
def test_boxes_go_to_the_finding_of_their_class(kind: type[np.generic]) -> None:
    classes = np.array([[4, 1, 0]]).astype(kind)

    outputs = read_outputs(detector(classes="classes"), tensors(classes=classes))

    assert outputs.detections is not None
    placement = place(640, 640, detector().input)
    assert outputs.detections.place(placement, channel=1) == (Box(250, 300, 350, 500, pytest.approx(0.8)),)
    assert outputs.detections.place(placement, channel=0) == ()


def test_equal_scores_keep_their_order() -> None:
    boxes = np.array([[0, 0, 10, 10], [20, 0, 30, 10], [40, 0, 50, 10]], np.float32)
    detections = Detections(boxes, np.array([0.5, 0.9, 0.5], np.float32), None)

    placed = detections.place(place(640, 640, detector().input), channel=0)

    assert [box.left for box in placed] == [20, 0, 40]


def test_a_box_turned_inside_out_is_a_pixel_wide() -> None:
    detections = Detections(np.array([[300, 300, 200, 200]], np.float32), np.ones(1, np.float32), None)

    [box] = detections.place(place(640, 640, detector().input), channel=0)

    assert 0 <= box.left < box.right <= 640
    assert 0 <= box.top < box.bottom <= 640


def test_a_detectors_logit_speaks_for_the_image_and_its_boxes_say_where() -> None:
    manifest = detector(logits="logits", heat_map="heat_map")
    heat_map = np.zeros((1, 1, 8, 8), np.float32)
    outputs = read_outputs(manifest, tensors(logits=np.array([[3.0]], np.float32), heat_map=heat_map))

    [read] = interpret(manifest, place(640, 640, manifest.input), outputs)

    assert read.finding.probability == pytest.approx(1 / (1 + np.exp(-3)))
    assert [box.probability for box in read.finding.boxes] == pytest.approx([0.8])
    assert read.heat_map is not None
    assert read.heat_map.shape == (8, 8)


def test_a_positive_finding_without_any_box_gets_the_peak_of_its_heat_map() -> None:
    manifest = detector(logits="logits", heat_map="heat_map")
    heat_maps = np.zeros((1, 8, 8), np.float32)
    heat_maps[0, 2, 3] = 0.2
    nothing = Detections(np.zeros((0, 4), np.float32), np.zeros(0, np.float32), None)
    outputs = Outputs(np.array([3.0], np.float32), heat_maps, nothing)

    [read] = interpret(manifest, place(640, 640, manifest.input), outputs)

    assert read.finding.zone is Zone.POSITIVE
    assert read.finding.boxes == (Box(240, 160, 320, 240, pytest.approx(0.2)),)


def test_findings_share_the_only_heat_map() -> None:
    outputs = Outputs(heat_maps=np.full((1, 2, 2), 0.5, np.float32))

    assert np.array_equal(outputs.heat_map(0), outputs.heat_map(3))  # type: ignore[arg-type]  # there is one
    assert Outputs().heat_map(0) is None
