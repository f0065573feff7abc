"""From the door to the report with models of other people: nothing but their folders was added."""

from __future__ import annotations

import time
from collections.abc import Sequence
from io import BytesIO
from pathlib import Path

import pydicom
import pytest
from pydicom.dataset import Dataset

from tests.builders import Film, small_film, to_bytes, to_dataset
from tests.bundles import (
    TRUST,
    brightness_classifier,
    brightness_guard,
    drop,
    examples,
    quadrant_detector,
)
from tests.unit.pipeline.parts import FROM_MODALITY, FirstStep, first_step
from wetread.domain import Analysis, AnalysisState, ObjectKind, Outcome, Report, StudyUid, Zone
from wetread.infer.bundle import Bundle, load_bundles
from wetread.infer.engine import Engine
from wetread.infer.guard import Guard
from wetread.ledger import Lease
from wetread.pipeline.analyse import Analyser
from wetread.pipeline.conclude import Concluder
from wetread.pipeline.parts import to_readers

HAND = small_film("hand", body_part="HAND")
CHEST = small_film("chest", body_part="CHEST", view="PA")
# For a film of 400 x 320 in 640 x 640: an image pixel is 1.6 of the network's, columns 64 to 576.
BOXES = ((144, 80, 224, 240), (320, 80, 400, 240), (144, 400, 224, 560), (320, 400, 400, 560))


def load(models: Path) -> Sequence[Bundle]:
    return load_bundles(models, TRUST)


def walk(folder: Path, bundles: Sequence[Bundle], film: Film) -> tuple[Report, list[Analysis], list[Dataset]]:
    """Admit, analyse, conclude; the report, the analyses, the structured report's data set first."""
    with first_step(folder, readers=to_readers(bundles)) as step, Engine(bundles, threads=1) as engine:
        admitted = step.admitter.receive_file(to_bytes(to_dataset(film)), source=FROM_MODALITY)
        study = StudyUid(admitted.header.StudyInstanceUID)
        analyse_all(step, engine, bundles)
        concluder = Concluder(ledger=step.ledger, spool=step.spool, destinations=(), max_side=1024)
        claim = step.ledger.studies.claim_due(Lease("test", time.time() + 60, 1.0), quiet_s=0)
        assert claim is not None
        assert concluder.conclude(claim)
        report = step.ledger.reports.revisions(study)[-1]
        [analyses] = step.ledger.analyses.of_study(study).values()
        kinds = sorted(report.objects, key=lambda item: item.kind is not ObjectKind.STRUCTURED_REPORT)
        objects = [pydicom.dcmread(BytesIO(step.spool.read(item.spool_key))) for item in kinds]
    return report, list(analyses), objects


def analyse_all(step: FirstStep, engine: Engine, bundles: Sequence[Bundle]) -> None:
    analyser = Analyser(
        ledger=step.ledger,
        spool=step.spool,
        engine=engine,
        guard=Guard(engine, bundles),
        models=[bundle.id for bundle in bundles],
        max_attempts=3,
        ended=lambda: None,
    )
    while analysis := step.ledger.analyses.claim_next(Lease("test", time.time(), 60)):
        analyser.analyse(analysis)


def outlines(ds: Dataset) -> list[list[float]]:
    """The coordinates of every region in a structured report."""
    return [list(element.value) for element in ds.iterall() if element.keyword == "GraphicData"]


def test_a_classifier_of_several_labels_without_a_heat_map_is_answered_in_the_study(tmp_path: Path) -> None:
    gains = ((0.0, -4.0, 4.0), (0.0, 0.0, 0.0), (0.0, 0.0, 0.0))
    drop(tmp_path / "models", examples()["chest-labels"], brightness_classifier(gains=gains))

    report, [analysis], [ds, capture] = walk(tmp_path, load(tmp_path / "models"), CHEST)

    opacity, effusion = analysis.findings
    assert report.outcome is Outcome.FINDINGS
    assert (analysis.state, analysis.model.name) == (AnalysisState.DONE, "chest-labels")
    assert (opacity.label, effusion.label) == ("Lung opacity", "Pleural effusion")
    assert opacity.zone is not Zone.NEGATIVE
    assert opacity.boxes == ()
    assert opacity.heat_map is None
    # A statement about the whole image has the outline of all its pixels.
    assert outlines(ds) == [[0, 0, 320, 0, 320, 400, 0, 400, 0, 0]] * 2
    assert {"Abnormal opacity", "Pleural effusion"} <= {
        str(element.value) for element in ds.iterall() if element.keyword == "CodeMeaning"
    }
    assert capture.Rows > CHEST.pixels.shape[0]


def test_a_detectors_boxes_reach_the_report_in_pixels_of_the_image(tmp_path: Path) -> None:
    manifest = examples()["bone-boxes"].replace("threshold = 0.4", "threshold = 0.01")
    manifest = manifest.replace("sensitive = 0.25", "sensitive = 0.01").replace('pictures = ["limb"]\n', "")
    drop(tmp_path / "models", manifest, quadrant_detector(boxes=BOXES))

    report, [analysis], [ds, _] = walk(tmp_path, load(tmp_path / "models"), HAND)

    [fracture] = analysis.findings
    assert report.outcome is Outcome.FINDINGS
    assert len(fracture.boxes) == 4
    assert {(box.left, box.top, box.right, box.bottom) for box in fracture.boxes} == {
        (50, 50, 100, 150),
        (160, 50, 210, 150),
        (50, 250, 100, 350),
        (160, 250, 210, 350),
    }
    assert sorted(outlines(ds))[0][:4] == [50, 50, 100, 50]
    assert fracture.heat_map is None


def test_a_guard_among_the_bundles_is_asked_for_no_findings(tmp_path: Path) -> None:
    drop(tmp_path / "models", examples()["picture"], brightness_guard())
    drop(
        tmp_path / "models",
        examples()["bone-boxes"].replace('pictures = ["limb"]\n', ""),
        quadrant_detector(boxes=BOXES),
    )

    _, analyses, _ = walk(tmp_path, load(tmp_path / "models"), HAND)

    assert [analysis.model.name for analysis in analyses] == ["bone-boxes"]


@pytest.mark.parametrize(("age", "is_read"), [("017Y", False), ("018Y", True), ("045Y", True)])
def test_a_model_is_only_asked_for_the_ages_that_its_manifest_names(
    tmp_path: Path, age: str, is_read: bool
) -> None:
    gains = ((0.0, -4.0, 4.0), (0.0, 0.0, 0.0), (0.0, 0.0, 0.0))
    drop(tmp_path / "models", examples()["chest-labels"], brightness_classifier(gains=gains))

    _, [analysis], _ = walk(
        tmp_path, load(tmp_path / "models"), small_film("young", body_part="CHEST", view="PA", age=age)
    )

    assert (analysis.state is AnalysisState.DONE) is is_read
