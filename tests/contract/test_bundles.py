"""The shipped bundles load, are small, and give the golden phantoms the answers they gave when made."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from wetread.domain import Box, Finding, Zone
from wetread.infer.bundle import Bundle, load_bundles
from wetread.infer.decode import read_image
from wetread.infer.engine import Engine
from wetread.infer.prepare import to_display
from wetread.phantom.chest import draw_chest
from wetread.phantom.dicom import Truth, demo_set
from wetread.phantom.film import Phantom
from wetread.phantom.limb import draw_limb

_MODELS = Path(__file__).parents[2] / "models"
_MOST_BYTES = 25 * 2**20
_EXPECTED = {
    Truth.FRACTURE: ("fracture", Zone.POSITIVE),
    Truth.NO_FRACTURE: ("fracture", Zone.NEGATIVE),
    Truth.OPACITY: ("pneumonia", Zone.POSITIVE),
    Truth.NO_OPACITY: ("pneumonia", Zone.NEGATIVE),
}


@pytest.fixture(scope="module")
def bundles() -> tuple[Bundle, ...]:
    return load_bundles(_MODELS)


@pytest.fixture(scope="module")
def engine(bundles: tuple[Bundle, ...]) -> Iterator[Engine]:
    with Engine(bundles, threads=1) as engine:
        yield engine


def test_the_repository_ships_a_fracture_and_a_pneumonia_bundle_that_are_small(
    bundles: tuple[Bundle, ...],
) -> None:
    sizes = {bundle.id.name: bundle.model_path.stat().st_size for bundle in bundles}

    assert set(sizes) == {"fracture", "pneumonia"}
    assert max(sizes.values()) < _MOST_BYTES


@pytest.mark.parametrize("name", ["fracture", "pneumonia"])
def test_a_bundle_gives_its_golden_phantoms_the_answers_it_gave_when_made(
    name: str, bundles: tuple[Bundle, ...], engine: Engine
) -> None:
    bundle = next(bundle for bundle in bundles if bundle.id.name == name)
    cases = json.loads((bundle.folder / "golden.json").read_text())

    for case in cases:
        phantom = _draw(case)
        finding = _read(engine, name, phantom)
        assert finding.probability == pytest.approx(case["expected_probability"], abs=case["tolerance"]), case
        assert finding.zone == case["expected_zone"], case


def test_the_demo_phantoms_get_the_answer_they_were_drawn_with_and_the_box_on_the_lesion(
    engine: Engine, tmp_path: Path
) -> None:
    for number, case in enumerate(demo_set()):
        if case.expected not in _EXPECTED:
            continue
        path = tmp_path / f"{number}.dcm"
        case.ds.save_as(path, enforce_file_format=True)
        name, zone = _EXPECTED[case.expected]

        finding = engine.read(name, to_display(read_image(path))).findings[0].finding

        assert finding.zone is zone, f"{case.title}: {finding.probability:.3f}"
        if case.phantom.boxes:
            assert any(_is_on(finding.boxes[0], lesion) for lesion in case.phantom.boxes), case.title


def _draw(case: dict[str, object]) -> Phantom:
    seed = int(str(case["seed"]))
    if case["phantom"] == "chest":
        return draw_chest(seed, opacity=bool(case["opacity"]))
    return draw_limb(seed, broken=bool(case["broken"]), view=str(case["view"]))


def _read(engine: Engine, name: str, phantom: Phantom) -> Finding:
    display = phantom.pixels.astype(np.float32) / np.float32(4095.0)
    return engine.read(name, display).findings[0].finding


def _is_on(box: Box, lesion: tuple[float, float, float, float]) -> bool:
    x, y = (box.left + box.right) / 2, (box.top + box.bottom) / 2
    return lesion[0] <= x <= lesion[2] and lesion[1] <= y <= lesion[3]
