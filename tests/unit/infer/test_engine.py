"""A real ONNX Runtime session on a tiny network whose answer can be worked out by hand."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from wetread.domain import Zone
from wetread.errors import Misconfigured, NotFound, Rejected
from wetread.infer.bundle import Bundle, load_bundles
from wetread.infer.engine import CPU, Engine, available_providers
from wetread.infer.signature import ANYONE

ASSETS = Path(__file__).parent / "assets"


@pytest.fixture
def bundle() -> Bundle:
    (loaded,) = load_bundles(ASSETS, ANYONE)
    return loaded


@pytest.fixture
def engine(bundle: Bundle) -> Iterator[Engine]:
    with Engine([bundle], threads=1) as opened:
        yield opened


def with_manifest(bundle: Bundle, part: str, **changes: object) -> Bundle:
    """The same bundle with other values in one part of its manifest."""
    changed = getattr(bundle.manifest, part).model_copy(update=changes)
    return replace(bundle, manifest=bundle.manifest.model_copy(update={part: changed}))


def test_read_finds_the_bright_square_where_it_is(engine: Engine) -> None:
    # 640 x 320 in 32 x 32: twenty pixels to one, columns 8 to 24; a cell is 80 x 80 pixels.
    display = np.full((640, 320), 0.4, dtype=np.float32)
    display[160:240, 80:160] = 0.9

    reading = engine.read("tiny", display)

    bright, dark = reading.findings
    (box,) = bright.finding.boxes
    assert bright.finding.label == "Bright"
    assert bright.finding.probability == pytest.approx(1 / (1 + np.exp(-20 * 0.4)))
    assert bright.finding.zone is Zone.POSITIVE
    assert (box.left, box.top, box.right, box.bottom) == pytest.approx((80, 160, 160, 240))
    assert box.probability == pytest.approx(0.9)
    assert bright.heat_map.shape == (8, 4)
    assert bright.heat_map[2, 1] == pytest.approx(0.9, abs=1e-3)
    assert dark.finding.label == "Dark"


def test_read_gives_a_negative_no_box(engine: Engine) -> None:
    reading = engine.read("tiny", np.full((640, 640), 0.1, dtype=np.float32))

    assert reading.findings[0].finding.zone is Zone.NEGATIVE
    assert reading.findings[0].finding.boxes == ()


def test_read_says_what_ran_and_how_long(engine: Engine) -> None:
    reading = engine.read("tiny", np.zeros((640, 640), dtype=np.float32))

    assert reading.provider == CPU == engine.provider("tiny")
    assert reading.prepare_ms > 0
    assert reading.infer_ms > 0


def test_read_may_be_called_from_several_threads(engine: Engine) -> None:
    displays = [np.full((64, 64), level / 20, dtype=np.float32) for level in range(20)]

    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(lambda display: engine.read("tiny", display), displays))

    alone = [engine.read("tiny", display) for display in displays]
    assert [r.findings[0].finding for r in together] == [r.findings[0].finding for r in alone]


def test_read_refuses_a_model_that_is_not_loaded(engine: Engine) -> None:
    with pytest.raises(NotFound):
        engine.read("other", np.zeros((64, 64), dtype=np.float32))


def test_read_refuses_an_answer_that_is_no_number(engine: Engine) -> None:
    with pytest.raises(Rejected) as caught:
        engine.read("tiny", np.full((64, 64), np.nan, dtype=np.float32))

    assert caught.value.code == "model_output"


def test_an_engine_that_was_left_reads_no_more(bundle: Bundle) -> None:
    with Engine([bundle], threads=1) as engine:
        pass

    with pytest.raises(NotFound):
        engine.read("tiny", np.zeros((64, 64), dtype=np.float32))


@pytest.mark.parametrize(
    ("part", "changes", "says"),
    [
        ("input", {"name": "picture"}, "picture"),
        ("input", {"rows": 64}, "image"),
        ("input", {"channels": 3}, "image"),
        ("output", {"logits": "scores"}, "scores"),
        ("output", {"heat_map": "attention"}, "attention"),
        ("output", {"heat_map": "logits"}, "logits"),
        ("output", {"logits": "heat_map"}, "heat_map"),
    ],
    ids=str,
)
def test_an_engine_refuses_a_model_that_is_not_what_its_manifest_says(
    bundle: Bundle, part: str, changes: dict[str, object], says: str
) -> None:
    with pytest.raises(Misconfigured, match=says):
        Engine([with_manifest(bundle, part, **changes)], threads=1)


def test_an_engine_refuses_a_finding_whose_channel_the_model_does_not_have(bundle: Bundle) -> None:
    first = bundle.manifest.findings[0].model_copy(update={"channel": 2})
    further = bundle.manifest.model_copy(update={"findings": (first,)})

    with pytest.raises(Misconfigured, match="2 logits, and channel 2 is needed"):
        Engine([replace(bundle, manifest=further)], threads=1)


def test_an_engine_refuses_a_file_that_is_no_model(bundle: Bundle, tmp_path: Path) -> None:
    shutil.copytree(bundle.folder, tmp_path / "tiny")
    (tmp_path / "tiny" / "model.onnx").write_bytes(b"not a model")
    model = replace(bundle.id, digest=hashlib.sha256(b"not a model").hexdigest())

    with pytest.raises(Misconfigured, match="does not load"):
        Engine([replace(bundle, id=model, folder=tmp_path / "tiny")], threads=1)


def test_an_engine_refuses_a_network_that_was_exchanged_after_the_check(
    bundle: Bundle, tmp_path: Path
) -> None:
    shutil.copytree(bundle.folder, tmp_path / "tiny")
    (tmp_path / "tiny" / "model.onnx").write_bytes(b"another network")

    with pytest.raises(Misconfigured, match="changed while the service started"):
        Engine([replace(bundle, folder=tmp_path / "tiny")], threads=1)


def test_the_cpu_is_always_among_the_providers() -> None:
    assert available_providers()[-1] == CPU
