from __future__ import annotations

import time
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import numpy as np
import pydicom
import pytest
from numpy.typing import NDArray

from tests.builders import Film, to_bytes, to_dataset
from tests.unit.pipeline.parts import FROM_MODALITY, FirstStep, first_step
from wetread.domain import Analysis, AnalysisState, ObjectKind, StudyUid
from wetread.infer.bundle import Bundle, load_bundles
from wetread.infer.engine import Engine
from wetread.infer.guard import Guard
from wetread.ledger import Lease
from wetread.phantom.chest import draw_chest
from wetread.phantom.limb import draw_limb
from wetread.pipeline.analyse import Analyser
from wetread.pipeline.conclude import Concluder
from wetread.pipeline.parts import to_readers

_MODELS = Path(__file__).parents[3] / "models"
Pixels = NDArray[np.uint16]


@pytest.fixture(scope="module")
def bundles() -> tuple[Bundle, ...]:
    return load_bundles(_MODELS)


@pytest.fixture(scope="module")
def engine(bundles: tuple[Bundle, ...]) -> Iterator[Engine]:
    with Engine(bundles, threads=1) as engine:
        yield engine


@pytest.fixture
def step(tmp_path: Path, bundles: tuple[Bundle, ...]) -> Iterator[FirstStep]:
    with first_step(tmp_path, readers=to_readers(bundles)) as parts:
        yield parts


@pytest.fixture
def analyser(step: FirstStep, engine: Engine, bundles: tuple[Bundle, ...]) -> Analyser:
    return Analyser(
        ledger=step.ledger,
        spool=step.spool,
        engine=engine,
        guard=Guard(engine, bundles),
        models=[bundle.id for bundle in bundles],
        max_attempts=1,
        ended=lambda: None,
    )


def chest() -> Pixels:
    return draw_chest(2, opacity=False).pixels


def limb() -> Pixels:
    return draw_limb(1, broken=False).pixels


def photograph() -> Pixels:
    """Hills before a bright sky, as grey as a radiograph."""
    y, x = np.mgrid[0:600, 0:800].astype(np.float64)
    sky = 3600 - 2 * y
    for depth, level in enumerate((2200, 1500, 800)):
        ridge = 200 + 120 * depth + 40 * np.sin(x / (90 - 20 * depth) + depth) + 9 * np.sin(x / 11)
        sky = np.where(y > ridge, level + 150 * np.sin(x * y / 4000), sky)
    return np.clip(sky, 0, 4095).astype(np.uint16)


def admit(step: FirstStep, pixels: Pixels, body_part: str) -> StudyUid:
    film = Film(name="one", pixels=pixels, body_part=body_part, view="AP")
    data = to_bytes(to_dataset(film))
    return StudyUid(step.admitter.receive_file(data, source=FROM_MODALITY).header.StudyInstanceUID)


def analyse(step: FirstStep, analyser: Analyser, study: StudyUid) -> Analysis:
    """Run the one analysis that is planned, and look at what became of it."""
    claimed = step.ledger.analyses.claim_next(Lease("test", time.time(), 60.0))
    assert claimed is not None
    analyser.analyse(claimed)
    [analyses] = step.ledger.analyses.of_study(study).values()
    return next(analysis for analysis in analyses if analysis.id == claimed.id)


@pytest.mark.parametrize(
    ("pixels", "body_part", "reason"),
    [
        pytest.param(limb(), "CHEST", "picture_wrong_part", id="a limb called a chest"),
        pytest.param(chest(), "HAND", "picture_wrong_part", id="a chest called a hand"),
        pytest.param(chest()[::-1], "CHEST", "picture_turned", id="a chest upside down"),
        pytest.param(np.rot90(chest()), "CHEST", "picture_turned", id="a chest on its side"),
        pytest.param(4095 - chest(), "CHEST", "picture_inverted", id="a chest in negative"),
        pytest.param(4095 - limb(), "HAND", "picture_inverted", id="a limb in negative"),
        pytest.param(photograph(), "CHEST", "picture_unknown", id="a photograph called a chest"),
        pytest.param(photograph(), "HAND", "picture_unknown", id="a photograph called a hand"),
        pytest.param(np.zeros((800, 600), np.uint16), "HAND", "picture_flat", id="a black frame"),
        pytest.param(
            np.where(chest() > 2000, 4095, 0).astype(np.uint16), "CHEST", "picture_saturated", id="burnt out"
        ),
    ],
)
def test_what_a_model_was_not_made_for_is_not_evaluable_with_its_reason(
    step: FirstStep, analyser: Analyser, pixels: Pixels, body_part: str, reason: str
) -> None:
    study = admit(step, np.ascontiguousarray(pixels), body_part)

    analysis = analyse(step, analyser, study)

    assert (analysis.state, analysis.reason) == (AnalysisState.FAILED, reason)
    assert analysis.findings == ()
    # The look at it is in the timeline, and nothing after it.
    assert [note.step for note in step.ledger.studies.timeline(study)][-1] == "analyse.picture"


@pytest.mark.parametrize(("pixels", "body_part"), [(chest(), "CHEST"), (limb(), "FOREARM")])
def test_what_a_model_was_made_for_is_read_and_the_look_at_it_stands_in_the_timeline(
    step: FirstStep, analyser: Analyser, pixels: Pixels, body_part: str
) -> None:
    study = admit(step, pixels, body_part)

    analysis = analyse(step, analyser, study)

    assert analysis.state is AnalysisState.DONE
    steps = [note.step for note in step.ledger.studies.timeline(study)]
    assert "analyse.picture" in steps


def test_the_report_and_its_capture_say_why_a_picture_was_not_read(
    step: FirstStep, analyser: Analyser
) -> None:
    study = admit(step, limb(), "CHEST")
    analyse(step, analyser, study)
    concluder = Concluder(ledger=step.ledger, spool=step.spool, destinations=(), max_side=512)
    claim = step.ledger.studies.claim_due(Lease("test", time.time() + 60, 1.0), quiet_s=0)
    assert claim is not None

    assert concluder.conclude(claim)

    report = step.ledger.reports.revisions(study)[-1]
    kinds = {item.kind: step.spool.path(item.spool_key).read_bytes() for item in report.objects}
    ds = pydicom.dcmread(BytesIO(kinds[ObjectKind.STRUCTURED_REPORT]))
    texts = " ".join(str(element.value) for element in ds.iterall() if element.VR == "UT")
    coded = {str(element.value) for element in ds.iterall() if element.keyword == "CodeValue"}
    assert "the picture shows a limb, not a frontal chest" in texts
    assert "picture_wrong_part" in texts
    # Nothing failed: the network was never asked (PS3.16 CID 6042).
    assert "111225" in coded
    assert "111224" not in coded
    assert set(kinds) == {ObjectKind.STRUCTURED_REPORT, ObjectKind.CAPTURE}
