"""The learning curve of a made-up run."""

from __future__ import annotations

import json
from pathlib import Path
from xml.etree import ElementTree

import pytest

from training.curves import Span, lines_of, spans_of, write_curve

CURVE: list[dict[str, float | str]] = [
    {"phase": "windows", "step": 50, "loss": 1.5},
    {"phase": "windows", "step": 100, "loss": 1.2},
    {"phase": "windows", "step": 100, "auc": 0.7, "peak_in_box": 0.4},
    {"phase": "frames", "step": 50, "loss": 0.9},
    {"phase": "frames", "step": 80, "auc": 0.8, "peak_in_box": 0.5},
]


@pytest.fixture
def record(tmp_path: Path) -> Path:
    path = tmp_path / "training.json"
    path.write_text(json.dumps({"settings": {"name": "fracture"}, "curve": CURVE}))
    return path


def texts_of(picture: Path) -> str:
    return " ".join(ElementTree.parse(picture).getroot().itertext())


def test_phases_lie_end_to_end_on_the_axis_of_all_steps() -> None:
    spans = spans_of(CURVE)

    assert spans == [Span("windows", 0, 100), Span("frames", 100, 180)]


def test_each_figure_is_a_line_over_the_steps_of_the_whole_run() -> None:
    lines = {line.name: line for line in lines_of(CURVE)}

    assert set(lines) == {"loss", "auc", "peak_in_box"}
    assert lines["auc"].steps == [100, 180]
    assert lines["loss"].values == [1.5, 1.2, 0.9]


def test_the_picture_names_model_phases_and_last_figures(record: Path, tmp_path: Path) -> None:
    write_curve(record, tmp_path / "curve.svg")

    told = texts_of(tmp_path / "curve.svg")
    for words in (
        "Training of fracture",
        "1 windows",
        "2 frames",
        "loss 0.900",
        "AUC 0.800",
        "peak in box 0.500",
    ):
        assert words in told


def test_the_same_record_gives_the_same_file(record: Path, tmp_path: Path) -> None:
    write_curve(record, tmp_path / "one.svg")
    write_curve(record, tmp_path / "two.svg")

    assert (tmp_path / "one.svg").read_bytes() == (tmp_path / "two.svg").read_bytes()


def test_a_run_that_was_never_scored_has_its_losses_drawn(record: Path, tmp_path: Path) -> None:
    record.write_text(json.dumps({"curve": [CURVE[0]]}))

    write_curve(record, tmp_path / "curve.svg")

    assert "held-out" not in texts_of(tmp_path / "curve.svg")
    assert "loss 1.500" in texts_of(tmp_path / "curve.svg")


def test_a_run_stopped_before_its_first_note_has_an_empty_picture(record: Path, tmp_path: Path) -> None:
    record.write_text(json.dumps({"settings": {"name": "fracture"}, "curve": []}))

    write_curve(record, tmp_path / "curve.svg")

    assert "Training of fracture" in texts_of(tmp_path / "curve.svg")
