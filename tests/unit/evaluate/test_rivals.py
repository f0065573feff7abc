"""Evaluations of the tiny network set against something else."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from wetread.cli import main

ASSETS = Path(__file__).parents[1] / "infer" / "assets"


@pytest.fixture(autouse=True)
def models(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The tiny network is installed, and unsigned."""
    monkeypatch.setenv("WETREAD_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("WETREAD_MODELS__PATH", str(ASSETS))
    monkeypatch.setenv("WETREAD_MODELS__ALLOW_UNSIGNED", "true")


def evaluate(manifest: Path, *wishes: str) -> int:
    """Beside the manifest, in `out`."""
    out = str(manifest.parent / "out")
    return main(["evaluate", str(manifest), "--model", "tiny", "--finding", "Bright", "--out", out, *wishes])


def write_set(folder: Path, *, brightness: int, score: str = "0.5") -> Path:
    """A bright picture and an even one, named alike in every set."""
    folder.mkdir()
    for name, value in (("a.png", brightness), ("b.png", 100)):
        pixels = np.full((64, 64), 100, dtype=np.uint8)
        pixels[16:32, 16:32] = value
        cv2.imwrite(str(folder / name), pixels)
    path = folder / "manifest.csv"
    path.write_text(f"file,label,score\na.png,1,0.9\nb.png,0,{score}\n", encoding="utf-8")
    return path


def test_an_evaluation_of_other_images_under_the_same_names_is_no_rival(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    first = write_set(tmp_path / "first", brightness=230)
    second = write_set(tmp_path / "second", brightness=200)
    figures = str(tmp_path / "first" / "out" / "evaluation.json")
    assert evaluate(first) == 0

    assert evaluate(first, "--compare", figures) == 0
    capsys.readouterr()
    status = evaluate(second, "--compare", figures)

    told = capsys.readouterr().err
    assert status == 2
    assert told.count("\n") == 1
    assert "evaluation.json: measured on other images, labels or boxes (first/manifest.csv)" in told


@pytest.mark.parametrize("score", ["nan", "inf", "much"])
def test_a_score_that_is_no_number_is_one_line_with_its_row(
    score: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    manifest = write_set(tmp_path / "set", brightness=230, score=score)

    status = evaluate(manifest, "--compare", "score")

    told = capsys.readouterr().err
    assert status == 2
    assert told.count("\n") == 1
    assert f"set/manifest.csv, row 3: score is '{score}', not a finite number" in told
