"""Golden cases tell a bundle that answers as it did when made from one that does not."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from tests.bundles import KEY, TRUST, brightness_classifier, brightness_guard, drop, examples
from wetread.errors import Misconfigured
from wetread.infer.bundle import Bundle, load_bundle
from wetread.infer.engine import Engine
from wetread.infer.seal import sign
from wetread.phantom.chest import draw_chest
from wetread.pipeline.golden import GoldenResult, check_golden, read_golden

CHEST = {"phantom": "chest", "seed": 3, "opacity": True, "tolerance": 0.01, "lesion_boxes": [[1, 2, 3, 4]]}


def with_golden(bundle: Bundle, *cases: dict[str, object]) -> Bundle:
    """The same bundle with these cases, signed again."""
    (bundle.folder / "golden.json").write_text(json.dumps(cases), encoding="utf-8")
    return sign(bundle.folder, KEY)


def check(bundle: Bundle) -> GoldenResult:
    with Engine([load_bundle(bundle.folder, TRUST)], threads=1) as engine:
        return check_golden(bundle, engine)


@pytest.fixture
def bundle(tmp_path: Path) -> Bundle:
    """The opacity's probability is the sigmoid of the mean of the picture's first channel."""
    manifest = examples()["chest-labels"].replace('"softmax"', '"sigmoid"')
    manifest = manifest.replace("[0.485, 0.456, 0.406]", "0.0").replace("[0.229, 0.224, 0.225]", "1.0")
    return drop(tmp_path, manifest, brightness_classifier(gains=((0, 1, 0), (0, 0, 0), (0, 0, 0))))


@pytest.fixture
def probability() -> float:
    """What it says of the chest."""
    mean = draw_chest(3, opacity=True).pixels.mean() / 4095
    return float(1 / (1 + np.exp(-mean)))


def test_a_bundle_that_answers_as_expected_passes(bundle: Bundle, probability: float) -> None:
    case = CHEST | {"expected_probability": round(probability, 3), "expected_zone": "positive"}

    result = check(with_golden(bundle, case, case))

    assert (result.cases, result.passed) == (2, 2)
    assert result.largest_difference < 0.01


@pytest.mark.parametrize(
    ("change", "zone"), [(0.02, "positive"), (0.0, "doubtful")], ids=["probability", "zone"]
)
def test_a_case_fails_on_its_probability_or_its_zone(
    bundle: Bundle, probability: float, change: float, zone: str
) -> None:
    good = CHEST | {"expected_probability": probability}
    bad = CHEST | {"expected_probability": probability + change, "expected_zone": zone}

    result = check(with_golden(bundle, good, bad))

    assert (result.cases, result.passed) == (2, 1)
    assert result.largest_difference == pytest.approx(change, abs=0.005)


def test_a_guard_is_held_to_the_kind_it_named(tmp_path: Path) -> None:
    guard = drop(tmp_path, examples()["picture"], brightness_guard())
    case = CHEST | {"expected_probability": 0.95, "tolerance": 0.05}

    result = check(
        with_golden(guard, case | {"expected_kind": "chest_frontal"}, case | {"expected_kind": "limb"})
    )

    assert (result.cases, result.passed) == (2, 1)


def test_a_bundle_without_golden_cases_has_none(bundle: Bundle) -> None:
    assert read_golden(bundle.folder) == ()
    assert check(bundle) == GoldenResult(0, 0, 0.0)


@pytest.mark.parametrize(
    "case",
    [{}, CHEST, CHEST | {"expected_probability": 1.5}, CHEST | {"phantom": "skull"}],
    ids=["empty", "no answer", "no probability", "no such phantom"],
)
def test_golden_cases_that_make_no_sense_are_one_clear_line(bundle: Bundle, case: dict[str, object]) -> None:
    with_golden(bundle, case)

    with pytest.raises(Misconfigured, match=r"golden\.json: 0") as caught:
        read_golden(bundle.folder)

    assert "\n" not in str(caught.value)
