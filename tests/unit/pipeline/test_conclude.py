from __future__ import annotations

import time
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import pydicom
import pytest

from tests.builders import Film, small_film, to_bytes, to_dataset
from tests.unit.pipeline.parts import FROM_MODALITY, FirstStep, first_step
from wetread.domain import ATTEMPTS_EXHAUSTED, AnalysisState, ObjectKind, Outcome, Report, StudyUid
from wetread.ledger import Lease
from wetread.ledger.studies import Claim
from wetread.pipeline.conclude import Concluder

SR = "1.2.840.10008.5.1.4.1.1.88.34"


@pytest.fixture
def step(tmp_path: Path) -> Iterator[FirstStep]:
    with first_step(tmp_path) as parts:
        yield parts


def admit(step: FirstStep, film: Film) -> StudyUid:
    data = to_bytes(to_dataset(film))
    return StudyUid(step.admitter.receive_file(data, source=FROM_MODALITY).header.StudyInstanceUID)


def fail_all(step: FirstStep, study: StudyUid, *, reason: str) -> None:
    """End every planned analysis of a study with this reason."""
    for analyses in step.ledger.analyses.of_study(study).values():
        for analysis in analyses:
            if analysis.state is AnalysisState.PENDING:
                step.ledger.analyses.fail(analysis.id, reason=reason, reason_text=reason, now=time.time())


def concluder(step: FirstStep) -> Concluder:
    return Concluder(ledger=step.ledger, spool=step.spool, destinations=(), max_side=1024)


def claim(step: FirstStep) -> Claim:
    found = step.ledger.studies.claim_due(Lease("test", time.time() + 60, 1.0), quiet_s=0)
    assert found is not None
    return found


def conclude(step: FirstStep, study: StudyUid) -> Report:
    assert concluder(step).conclude(claim(step))
    return step.ledger.reports.revisions(study)[-1]


def test_a_study_that_no_model_reads_gets_a_report_and_a_capture_that_say_so(step: FirstStep) -> None:
    study = admit(step, small_film("skull", rows=300, columns=300, body_part="SKULL"))

    report = conclude(step, study)

    assert report.outcome is Outcome.NOT_EVALUABLE
    assert sorted(item.kind for item in report.objects) == [ObjectKind.CAPTURE, ObjectKind.STRUCTURED_REPORT]


def test_concluding_twice_makes_the_same_objects_and_one_revision(step: FirstStep) -> None:
    study = admit(step, small_film("one", rows=300, columns=300))
    fail_all(step, study, reason="pixels_undecodable")
    first = claim(step)

    assert concluder(step).conclude(first)
    assert not concluder(step).conclude(first)

    assert [report.revision for report in step.ledger.reports.revisions(study)] == [1]


def test_an_image_that_came_meanwhile_keeps_the_study_open(step: FirstStep) -> None:
    study = admit(step, small_film("one", rows=300, columns=300, study="both"))
    fail_all(step, study, reason="pixels_undecodable")
    first = claim(step)
    admit(step, small_film("two", rows=300, columns=300, study="both"))

    assert not concluder(step).conclude(first)

    assert step.ledger.reports.revisions(study) == []


def test_a_late_image_makes_a_second_revision_that_names_the_first_and_keeps_its_captures(
    step: FirstStep,
) -> None:
    study = admit(step, small_film("one", rows=300, columns=300, study="both"))
    fail_all(step, study, reason="pixels_undecodable")
    first = conclude(step, study)
    admit(step, small_film("two", rows=300, columns=300, study="both"))
    fail_all(step, study, reason="pixels_undecodable")

    second = conclude(step, study)

    [old] = [item for item in first.objects if item.SOPClassUID == SR]
    [new] = [item for item in second.objects if item.SOPClassUID == SR]
    ds = pydicom.dcmread(BytesIO(step.spool.read(new.spool_key)))
    named = ds.PredecessorDocumentsSequence[0].ReferencedSeriesSequence[0].ReferencedSOPSequence[0]
    assert named.ReferencedSOPInstanceUID == old.SOPInstanceUID
    captures = {item.SOPInstanceUID for item in first.objects if item.kind is ObjectKind.CAPTURE}
    assert captures <= {item.SOPInstanceUID for item in second.objects}


def test_an_image_that_ended_its_workers_is_not_decoded_again(step: FirstStep) -> None:
    study = admit(step, small_film("poison", rows=300, columns=300))
    fail_all(step, study, reason=ATTEMPTS_EXHAUSTED)

    report = conclude(step, study)

    [capture] = [item for item in report.objects if item.kind is ObjectKind.CAPTURE]
    ds = pydicom.dcmread(BytesIO(step.spool.read(capture.spool_key)))
    # A plain card: nothing of the film is on it.
    assert (ds.Rows, ds.Columns) != (300, 300)
    assert report.outcome is Outcome.NOT_EVALUABLE


def test_a_study_that_ended_its_publisher_three_times_gets_the_plain_report_and_a_card(
    step: FirstStep,
) -> None:
    study = admit(step, small_film("poison", rows=300, columns=300))
    fail_all(step, study, reason="pixels_undecodable")
    for _ in range(3):
        claim(step)
        step.ledger.studies.release(study, not_before=0.0, problem="killed")

    report = conclude(step, study)

    assert [item.kind for item in report.objects] == [ObjectKind.STRUCTURED_REPORT, ObjectKind.CAPTURE]
    capture = pydicom.dcmread(BytesIO(step.spool.read(report.objects[1].spool_key)))
    assert capture.DerivationDescription.startswith("Answer on a card")
    [held] = step.ledger.held.of_study(study)
    assert (held.kind, held.reason) == (ObjectKind.STRUCTURED_REPORT, "plain report: killed")


def test_a_study_that_cannot_be_concluded_does_not_stand_before_one_that_can(step: FirstStep) -> None:
    poison = admit(step, small_film("poison", rows=300, columns=300))
    healthy = admit(step, small_film("healthy", rows=300, columns=300))
    for study in (poison, healthy):
        fail_all(step, study, reason="pixels_undecodable")
    assert claim(step).study == poison
    step.ledger.studies.release(poison, not_before=0.0, problem="killed")

    assert claim(step).study == healthy


def test_answers_are_written_below_the_watermark_and_new_images_are_not(tmp_path: Path) -> None:
    with first_step(tmp_path, watermark_bytes=0) as step:
        study = admit(step, small_film("one", rows=300, columns=300))
        fail_all(step, study, reason="pixels_undecodable")
    with first_step(tmp_path, watermark_bytes=2**60) as full:
        report = conclude(full, study)

    assert len(report.objects) == 2
