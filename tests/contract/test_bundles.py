"""The shipped bundles load, are small, and give the golden phantoms the answers they gave when made."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from wetread.domain import Box, Zone
from wetread.infer.bundle import Bundle, load_bundles
from wetread.infer.decode import read_image
from wetread.infer.engine import Engine
from wetread.infer.prepare import to_display
from wetread.phantom.dicom import Truth, demo_set
from wetread.pipeline.golden import check_golden

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

    assert {"fracture", "pneumonia"} <= set(sizes)
    assert max(sizes.values()) < _MOST_BYTES


@pytest.mark.parametrize("name", ["fracture", "pneumonia"])
def test_a_bundle_gives_its_golden_phantoms_the_answers_it_gave_when_made(
    name: str, bundles: tuple[Bundle, ...], engine: Engine
) -> None:
    bundle = next(bundle for bundle in bundles if bundle.id.name == name)

    result = check_golden(bundle, engine)

    assert result.cases >= 12
    assert result.passed == result.cases, f"largest difference {result.largest_difference}"


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


def _is_on(box: Box, lesion: tuple[float, float, float, float]) -> bool:
    x, y = (box.left + box.right) / 2, (box.top + box.bottom) / 2
    return lesion[0] <= x <= lesion[2] and lesion[1] <= y <= lesion[3]
