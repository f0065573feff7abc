"""The heat map that a shipped model gives points at the lesion, within one of its cells."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from wetread.infer.bundle import load_bundles
from wetread.infer.engine import Engine
from wetread.pipeline.golden import GoldenCase, read_golden

_MODELS = Path(__file__).parents[2] / "models"
_BUNDLES = {bundle.id.name: bundle for bundle in load_bundles(_MODELS) if not bundle.manifest.is_guard}


@pytest.fixture(scope="module")
def engine() -> Iterator[Engine]:
    with Engine(tuple(_BUNDLES.values()), threads=1) as engine:
        yield engine


@pytest.mark.parametrize("name", sorted(_BUNDLES))
def test_the_heat_map_peaks_within_one_cell_of_the_planted_lesion(name: str, engine: Engine) -> None:
    cases = _lesioned(name)

    assert cases
    for case in cases:
        x, y, cell = _peak(engine, name, case.show())
        assert any(
            left - cell <= x <= right + cell and top - cell <= y <= bottom + cell
            for left, top, right, bottom in case.lesion_boxes
        ), case


@pytest.mark.parametrize("name", sorted(_BUNDLES))
def test_the_heat_map_follows_a_film_that_is_moved(name: str, engine: Engine) -> None:
    display = _lesioned(name)[0].show()
    step = display.shape[0] // 20
    x, y, cell = _peak(engine, name, display)

    new_x, new_y, _ = _peak(engine, name, np.roll(display, -step, axis=0))

    assert abs(new_x - x) <= cell
    assert abs(new_y - (y - step)) <= cell


def _lesioned(name: str) -> list[GoldenCase]:
    return [case for case in read_golden(_BUNDLES[name].folder) if case.lesion_boxes]


def _peak(engine: Engine, name: str, display: NDArray[np.float32]) -> tuple[float, float, float]:
    """Centre of the strongest cell, (x, y) in pixels of the image, and the size of a cell there."""
    heat_map = engine.read(name, display).findings[0].heat_map
    assert heat_map is not None
    row, column = np.unravel_index(int(heat_map.argmax()), heat_map.shape)
    tall, wide = display.shape[0] / heat_map.shape[0], display.shape[1] / heat_map.shape[1]
    return (float(column) + 0.5) * wide, (float(row) + 0.5) * tall, max(tall, wide)
