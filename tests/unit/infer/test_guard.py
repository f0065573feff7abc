from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.bundles import TRUST, brightness_classifier, brightness_guard, drop, examples
from wetread.errors import Misconfigured, Rejected
from wetread.infer.bundle import Bundle, load_bundles
from wetread.infer.engine import Engine
from wetread.infer.guard import Guard, find_guard


def install(
    models: Path, *, reads: str = '["chest_frontal"]', guards: tuple[str, ...] = ("picture",)
) -> None:
    """A chest classifier that reads these pictures, and guards: bright is a chest, dark is in doubt."""
    for name in guards:
        manifest = examples()["picture"].replace('name = "picture"', f'name = "{name}"')
        manifest = manifest.replace("most_distance", "least_probability = 0.4\nmost_distance")
        drop(models, manifest, brightness_guard())
    manifest = examples()["chest-labels"].replace("[reads]", f"[reads]\npictures = {reads}")
    drop(models, manifest, brightness_classifier(gains=((0.0, 0.0, 0.0),) * 3))


def load(models: Path) -> tuple[Bundle, ...]:
    return load_bundles(models, TRUST)


def test_a_model_that_reads_certain_pictures_needs_a_guard(tmp_path: Path) -> None:
    install(tmp_path, guards=())

    with pytest.raises(Misconfigured, match=r"chest-labels .* a bundle of kind picture must be installed"):
        find_guard(load(tmp_path))


def test_a_guard_must_know_the_kinds_that_a_model_reads(tmp_path: Path) -> None:
    install(tmp_path, reads='["knee"]')

    with pytest.raises(Misconfigured, match=r"pictures of kind knee, which picture .* does not know"):
        find_guard(load(tmp_path))


def test_two_guards_are_one_too_many(tmp_path: Path) -> None:
    install(tmp_path, guards=("picture", "other"))

    with pytest.raises(Misconfigured, match="other and picture are both of kind picture"):
        find_guard(load(tmp_path))


def test_a_model_that_reads_any_picture_does_not_ask(tmp_path: Path) -> None:
    install(tmp_path, reads="[]", guards=())
    bundles = load(tmp_path)

    with Engine(bundles, threads=1) as engine:
        assert not Guard(engine, bundles).is_asked_by(bundles[0].id)


def test_a_picture_that_the_guard_knows_passes(tmp_path: Path) -> None:
    install(tmp_path)
    bundles = load(tmp_path)
    noise = np.random.default_rng(1).random((300, 300), dtype=np.float32)

    with Engine(bundles, threads=1) as engine:
        guard = Guard(engine, bundles)

        assert guard.is_asked_by(bundles[0].id)
        guard.check(bundles[0].id, 0.24 * noise)


def test_a_frame_without_a_picture_never_gets_to_the_network(tmp_path: Path) -> None:
    install(tmp_path)
    bundles = load(tmp_path)

    with Engine(bundles, threads=1) as engine, pytest.raises(Rejected) as refused:
        Guard(engine, bundles).check(bundles[0].id, np.zeros((300, 300), np.float32))

    assert refused.value.code == "picture_flat"
