from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from io import BytesIO
from pathlib import Path

import pydicom
import pytest

from tests.builders import Film, small_film, to_bytes, to_dataset
from tests.unit.ledger.rows import report, result
from tests.unit.pipeline.parts import FROM_MODALITY, DeadQueue, FirstStep, first_step
from wetread.domain import AnalysisState, Lane, SopInstanceUid, StudyUid
from wetread.errors import Mismatch, OutOfSpace, Unreadable
from wetread.ledger.studies import Claim
from wetread.pipeline.admit import Admission, Offer
from wetread.route.part10 import split_file


@pytest.fixture
def step(tmp_path: Path) -> Iterator[FirstStep]:
    with first_step(tmp_path) as parts:
        yield parts


def hand(name: str, **more: object) -> Film:
    return small_film(name, rows=40, columns=30, more=more)


def send(step: FirstStep, film: Film) -> Admission:
    return step.admitter.receive_file(to_bytes(to_dataset(film)), source=FROM_MODALITY)


def offer_of(film: Film) -> Offer:
    parts = split_file(to_bytes(to_dataset(film)))
    return Offer(parts.sop_class_uid, parts.sop_instance_uid, parts.transfer_syntax_uid, parts.data_set)


def test_an_image_becomes_a_durable_instance_with_planned_and_declined_analyses(step: FirstStep) -> None:
    film = hand("one")

    admission = send(step, film)

    [instance] = step.ledger.instances.of_study(StudyUid(film.study_uid))
    analyses = step.ledger.analyses.of_study(StudyUid(film.study_uid))[instance.id]
    kept = step.spool.read(instance.spool_key)
    assert kept.endswith(bytes(split_file(to_bytes(to_dataset(film))).data_set))
    assert pydicom.dcmread(BytesIO(kept)).SOPInstanceUID == film.instance_uid
    assert [(item.model.name, item.state, item.reason) for item in analyses] == [
        ("fracture", AnalysisState.PENDING, ""),
        ("pneumonia", AnalysisState.DECLINED, "body_part_out_of_scope"),
    ]
    assert admission.analyses == (analyses[0].id,)


def test_a_worker_is_woken_for_what_is_planned_and_for_nothing_else(step: FirstStep) -> None:
    send(step, hand("foot", BodyPartExamined="FOOT"))
    assert not step.bell.wait(0)

    send(step, hand("one"))

    assert step.bell.wait(0)


def test_the_same_image_again_is_kept_once_and_analysed_once(step: FirstStep) -> None:
    first = send(step, hand("one"))

    again = send(step, hand("one"))

    assert (again.is_new, again.instance_id, again.analyses) == (False, first.instance_id, ())
    assert len(step.files()) == 1


def test_other_bytes_under_the_same_uid_are_kept_beside_the_first(step: FirstStep) -> None:
    send(step, hand("one"))

    other = send(step, hand("one", StudyDescription="changed afterwards"))

    assert other.is_conflicting
    assert len(step.files()) == 2


def test_an_urgent_caller_makes_its_analyses_urgent(step: FirstStep) -> None:
    send(step, hand("routine"))

    step.admitter.receive(offer_of(hand("urgent")), source=replace(FROM_MODALITY, calling_aet="TRAUMA"))

    lanes = [lane for _, lane in step.ledger.analyses.waiting(now=2e12)]
    assert lanes == [Lane.ROUTINE, Lane.URGENT]


def test_an_image_is_accepted_while_the_broker_is_away(tmp_path: Path) -> None:
    with first_step(tmp_path, queue=DeadQueue()) as step:
        admission = send(step, hand("one"))

        assert admission.is_new
        assert [row for row, _ in step.ledger.analyses.waiting(now=2e12)] == list(admission.analyses)


def test_garbage_is_quarantined_with_its_reason_and_a_copy(step: FirstStep) -> None:
    with pytest.raises(Unreadable):
        step.admitter.receive_file(b"%PDF-1.7 not a radiograph", source=FROM_MODALITY)

    [entry] = step.ledger.quarantine.page()
    assert (entry.reason, entry.calling_aet, entry.door) == ("not_dicom", "MODALITY", "dicom")
    assert entry.spool_key is not None
    assert step.spool.read(entry.spool_key) == b"%PDF-1.7 not a radiograph"


def test_the_copy_in_quarantine_is_bounded(step: FirstStep) -> None:
    with pytest.raises(Unreadable):
        step.admitter.receive_file(b"x" * 3_000_000, source=FROM_MODALITY)

    [entry] = step.ledger.quarantine.page()
    assert entry.spool_key is not None
    assert (entry.size_bytes, len(step.spool.read(entry.spool_key))) == (3_000_000, 1 << 20)


@pytest.mark.parametrize(
    "change",
    [{"sop_instance_uid": "1.2.3"}, {"sop_class_uid": "1.2.840.10008.5.1.4.1.1.1"}],
)
def test_a_request_that_disagrees_with_its_object_is_a_mismatch_in_quarantine(
    step: FirstStep, change: dict[str, str]
) -> None:
    with pytest.raises(Mismatch):
        step.admitter.receive(replace(offer_of(hand("one")), **change), source=FROM_MODALITY)  # type: ignore[arg-type]  # text fields only

    assert [entry.reason for entry in step.ledger.quarantine.page()] == ["mismatch"]
    assert step.ledger.views.counts()["instances"] == {}


def test_a_path_as_uid_reaches_neither_the_disk_nor_the_ledger(step: FirstStep) -> None:
    offer = replace(offer_of(hand("one")), sop_instance_uid="../../../../tmp/x")

    with pytest.raises(Mismatch):
        step.admitter.receive(offer, source=FROM_MODALITY)

    [entry] = step.ledger.quarantine.page()
    assert "/" not in entry.sop_instance_uid
    assert all(path.is_relative_to(step.folder / "spool" / "objects") for path in step.files())


def test_an_object_that_is_too_large_is_refused(tmp_path: Path) -> None:
    with first_step(tmp_path, max_object_bytes=1000) as step:
        with pytest.raises(Unreadable) as raised:
            send(step, hand("one"))

        assert raised.value.code == "too_large"


def test_nothing_is_registered_when_the_disk_is_full(tmp_path: Path) -> None:
    with first_step(tmp_path, watermark_bytes=2**60) as step:
        with pytest.raises(OutOfSpace):
            send(step, hand("one"))

        assert step.files() == []
        assert step.ledger.views.counts()["instances"] == {}


def test_a_result_of_ours_that_comes_back_is_neither_kept_nor_analysed(step: FirstStep) -> None:
    film = hand("returned")
    ours = replace(result("sr"), SOPInstanceUID=SopInstanceUid(film.instance_uid))
    study = StudyUid(send(step, hand("source")).header.StudyInstanceUID)
    step.ledger.reports.conclude(
        Claim(study, 1, 1, 1), report(study, 1, ours), worst_zone="", destinations=[]
    )
    before = step.files()

    admission = send(step, film)

    assert (admission.instance_id, admission.analyses) == (None, ())
    assert step.files() == before
    assert step.ledger.quarantine.page() == []


def test_a_capture_of_another_wetread_is_not_read_but_its_phantoms_are(step: FirstStep) -> None:
    capture = hand("capture", Manufacturer="Wetread", SOPClassUID="1.2.840.10008.5.1.4.1.1.7")
    phantom = hand("phantom", Manufacturer="Wetread")

    returned = step.admitter.receive(
        replace(offer_of(capture), sop_class_uid="1.2.840.10008.5.1.4.1.1.7"), source=FROM_MODALITY
    )

    assert returned.instance_id is None
    assert send(step, phantom).analyses
