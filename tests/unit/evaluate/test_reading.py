from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from wetread.domain import Zone
from wetread.evaluate.cases import Case
from wetread.evaluate.reading import Subject, opened
from wetread.infer.bundle import load_bundles
from wetread.infer.signature import ANYONE

ASSETS = Path(__file__).parents[1] / "infer" / "assets"


def write_square(path: Path, brightness: int) -> Path:
    """A grey picture with one square of this brightness."""
    pixels = np.full((320, 320), 100, dtype=np.uint8)
    pixels[80:160, 80:160] = brightness
    cv2.imwrite(str(path), pixels)
    return path


def test_a_model_that_reads_any_picture_is_measured_without_a_guard(tmp_path: Path) -> None:
    (tiny,) = load_bundles(ASSETS, ANYONE)
    cases = [
        Case("bright", write_square(tmp_path / "bright.png", 230), 2, 1),
        Case("even", write_square(tmp_path / "even.png", 100), 3, 0),
    ]

    with opened(Subject(tiny), threads=1) as reader:
        answers = list(reader.read_all(cases))

    assert [answer.reason for answer in answers] == ["", ""]
    assert answers[0].zone is Zone.POSITIVE
    assert answers[0].probability > answers[1].probability
