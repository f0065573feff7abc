"""One film, and destinations that each take its answer in their own way."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.builders import small_film, write
from tests.system.dcmtk import storescu
from tests.system.deadline import wait_until
from tests.system.fussy_pacs import FussyPacs
from tests.system.orthanc import CAPTURE_CLASS, Orthanc, new_orthanc, running_orthanc
from tests.system.storescp import StoreScp, running_storescp
from tests.system.wetread_service import Wetread, make_settings
from tests.unit.deliver.authority import make_authority
from wetread.deliver.classes import SOP_CLASS_OF
from wetread.domain import Delivery, DeliveryState, ObjectKind, SopInstanceUid, StudyUid

COMPREHENSIVE = SOP_CLASS_OF[ObjectKind.COMPREHENSIVE_REPORT]
_SETTLED_S = 60.0
# Ends of a delivery; SENT is one only where no commitment is awaited.
_COMMITTING = ("orthanc", "fussy")


@dataclass(frozen=True, slots=True)
class Delivered:
    """What became of the answer to one film."""

    orthanc: Orthanc
    fussy: FussyPacs
    older: StoreScp
    oldest: StoreScp
    secured: StoreScp
    deliveries: list[Delivery]
    objects: set[ObjectKind]

    def states(self, destination: str) -> dict[ObjectKind, DeliveryState]:
        """State by kind of object."""
        return {d.object.kind: d.state for d in self.deliveries if d.destination == destination}

    def error(self, destination: str, kind: ObjectKind) -> str:
        """What the ledger says about one delivery."""
        [found] = [d for d in self.deliveries if (d.destination, d.object.kind) == (destination, kind)]
        return found.last_error


@pytest.fixture(scope="module")
def delivered(tmp_path_factory: pytest.TempPathFactory, models_folder: Path) -> Iterator[Delivered]:
    """Everything sent, and as far delivered as it will be."""
    folder = tmp_path_factory.mktemp("delivery")
    wetread = Wetread(folder / "wetread", models_folder)
    ours, theirs = make_authority(folder / "ours"), make_authority(folder / "theirs")
    orthanc, fussy = (
        new_orthanc(),
        FussyPacs([0x0000, 0xB000, 0x0000], reports_to=wetread.dicom_port, loses=1),
    )
    older, oldest = StoreScp(folder / "older"), StoreScp(folder / "oldest")
    secured = StoreScp(folder / "secured")
    own = {"certificate": str(ours.certificate), "key": str(ours.key)}
    wetread.settings = make_settings(
        orthanc.destination | {"commitment": True},
        fussy.destination | {"commitment": True, "calling_aet": "AI_READER"},
        older.destination("older"),
        oldest.destination("oldest"),
        secured.destination("secured") | {"tls": {"ca": str(ours.ca), **own}},
        secured.destination("impostor") | {"tls": {"ca": str(theirs.ca), **own}},
    )
    film = small_film("delivered")
    with ExitStack() as stack:
        # It would keep the association of its report for seconds, and hold up the end of the test.
        options = {"wetread_port": wetread.dicom_port, "DicomAssociationCloseDelay": 0}
        stack.enter_context(running_orthanc(folder / "orthanc", orthanc, **options))
        stack.enter_context(fussy.listening())
        stack.enter_context(
            running_storescp(older, classes=["ComprehensiveSRStorage", "SecondaryCaptureImageStorage"])
        )
        stack.enter_context(running_storescp(oldest, classes=["SecondaryCaptureImageStorage"]))
        stack.enter_context(running_storescp(secured, authority=ours))
        stack.enter_context(wetread.running())
        storescu(wetread.modality, write(film, folder))
        deliveries = _wait(wetread, StudyUid(film.study_uid))
        yield Delivered(
            orthanc,
            fussy,
            older,
            oldest,
            secured,
            deliveries,
            {delivery.object.kind for delivery in deliveries},
        )


def _wait(wetread: Wetread, study: StudyUid) -> list[Delivery]:
    def settled() -> list[Delivery] | None:
        found = ledger.deliveries.of_study(study)
        return found if found and all(map(_has_ended, found)) else None

    with wetread.ledger() as ledger:
        found = wait_until(settled, within_s=_SETTLED_S, what=f"delivered, see {wetread.log}")
    assert found is not None
    return found


def _has_ended(delivery: Delivery) -> bool:
    if delivery.destination == "impostor":
        return bool(delivery.last_error)
    if delivery.destination in _COMMITTING:
        return delivery.state is DeliveryState.COMMITTED
    return delivery.state is not DeliveryState.PENDING


def test_orthanc_commits_itself_to_every_object(delivered: Delivered) -> None:
    report_and_capture = {ObjectKind.STRUCTURED_REPORT, ObjectKind.CAPTURE}

    assert delivered.states("orthanc") == dict.fromkeys(report_and_capture, DeliveryState.COMMITTED)
    assert delivered.orthanc.count() == len(report_and_capture)


def test_object_that_the_pacs_has_lost_is_sent_again_and_then_committed(delivered: Delivered) -> None:
    [lost] = delivered.fussy.lost

    assert set(delivered.states("fussy").values()) == {DeliveryState.COMMITTED}
    assert delivered.fussy.asked.count(lost) == 2
    assert len(delivered.fussy.asked) == 3
    assert len({str(request.TransactionUID) for request in delivered.fussy.requests}) == 2


def test_warning_is_kept_with_the_delivery(delivered: Delivered) -> None:
    statuses = {
        d.object.SOPInstanceUID: d.last_status for d in delivered.deliveries if d.destination == "fussy"
    }

    assert [statuses[SopInstanceUid(uid)] for uid in delivered.fussy.asked[:2]] == ["0x0000", "0xB000"]


def test_pacs_without_the_newest_class_gets_the_report_as_comprehensive_sr(delivered: Delivered) -> None:
    error = delivered.error("older", ObjectKind.STRUCTURED_REPORT)

    assert delivered.states("older") == {
        ObjectKind.STRUCTURED_REPORT: DeliveryState.DEGRADED,
        ObjectKind.COMPREHENSIVE_REPORT: DeliveryState.SENT,
        ObjectKind.CAPTURE: DeliveryState.SENT,
    }
    assert {str(ds.SOPClassUID) for ds in delivered.older.held()} == {COMPREHENSIVE, CAPTURE_CLASS}
    assert "takes no Comprehensive 3D SR Storage" in error
    assert "the profile sc+sr, the report as Comprehensive SR" in error


def test_pacs_without_any_report_gets_the_captures(delivered: Delivered) -> None:
    assert delivered.states("oldest") == {
        ObjectKind.STRUCTURED_REPORT: DeliveryState.DEGRADED,
        ObjectKind.CAPTURE: DeliveryState.SENT,
    }
    assert {str(ds.SOPClassUID) for ds in delivered.oldest.held()} == {CAPTURE_CLASS}
    assert "the profile sc-only" in delivered.error("oldest", ObjectKind.STRUCTURED_REPORT)


def test_objects_go_over_tls_to_a_pacs_that_is_trusted(delivered: Delivered) -> None:
    assert set(delivered.states("secured").values()) == {DeliveryState.SENT}
    assert len(delivered.secured.held()) == 2


def test_pacs_with_a_certificate_of_somebody_else_gets_nothing_and_the_reason_is_told(
    delivered: Delivered,
) -> None:
    assert set(delivered.states("impostor").values()) == {DeliveryState.PENDING}
    assert "its certificate is not trusted" in delivered.error("impostor", ObjectKind.STRUCTURED_REPORT)
