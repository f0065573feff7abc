from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.system.deadline import wait_until
from tests.system.fussy_pacs import FussyPacs
from tests.unit.ledger.rows import result
from wetread.deliver.classes import SOP_CLASS_OF
from wetread.deliver.dicom import DicomSender
from wetread.domain import (
    CommitmentReport,
    Delivery,
    DeliveryId,
    DeliveryState,
    Destination,
    ObjectKind,
    StudyUid,
)
from wetread.errors import NotOffered, Unreachable

pytestmark = pytest.mark.filterwarnings(
    "ignore::pytest.PytestUnraisableExceptionWarning"  # pynetdicom leaves a refused socket to the collector
)
SENT = [
    Delivery(DeliveryId(number), result(name), StudyUid("1.2"), "fussy", DeliveryState.SENT)
    for number, name in enumerate(("one", "two"))
]
UIDS = [delivery.object.SOPInstanceUID for delivery in SENT]
TRANSACTION = "2.25.17"
Taken = list[tuple[CommitmentReport, str]]


@contextmanager
def asking(there: FussyPacs, *, commits: bool = True) -> Iterator[tuple[DicomSender, Taken]]:
    """A sender to this PACS, and the reports that it hands on."""
    to = Destination("fussy", "dicom", "127.0.0.1", there.port, "FUSSY", commits=commits)
    taken: Taken = []
    sender = DicomSender(
        to, calling_aet="WETREAD", timeout_s=10, take=lambda report, caller: taken.append((report, caller))
    )
    try:
        yield sender, taken
    finally:
        sender.close()


def test_a_request_names_its_transaction_and_every_object() -> None:
    with FussyPacs([0], reports_on_same=True).listening() as there, asking(there) as (sender, taken):
        answer = sender.request_commitment(SENT, transaction_uid=TRANSACTION)
        wait_until(lambda: taken, within_s=10, what="a report")

    [request] = there.requests
    assert answer is None
    assert request.TransactionUID == TRANSACTION
    assert [item.ReferencedSOPInstanceUID for item in request.ReferencedSOPSequence] == UIDS
    assert {item.ReferencedSOPClassUID for item in request.ReferencedSOPSequence} == {
        SOP_CLASS_OF[ObjectKind.STRUCTURED_REPORT]
    }


def test_a_report_on_the_same_association_is_taken_as_the_archives_own() -> None:
    with FussyPacs([0], reports_on_same=True).listening() as there, asking(there) as (sender, taken):
        sender.request_commitment(SENT, transaction_uid=TRANSACTION)
        wait_until(lambda: there.answers, within_s=10, what="an answer to the report")

    assert taken == [(CommitmentReport(TRANSACTION, frozenset(UIDS), {}), "FUSSY")]
    assert there.answers == [0x0000]


def test_what_the_archive_has_lost_is_reported_with_its_reason() -> None:
    with (
        FussyPacs([0], reports_on_same=True, loses=1).listening() as there,
        asking(there) as (sender, taken),
    ):
        sender.request_commitment(SENT, transaction_uid=TRANSACTION)
        wait_until(lambda: taken, within_s=10, what="a report")

    [(report, _)] = taken
    assert report.kept == {UIDS[1]}
    assert report.failed == {UIDS[0]: "no such object there (0x0112)"}


def test_an_archive_that_does_not_accept_the_context_offers_no_commitment() -> None:
    with (
        FussyPacs([0]).listening() as there,
        asking(there) as (sender, _),
        pytest.raises(NotOffered, match="does not offer storage commitment"),
    ):
        sender.request_commitment(SENT, transaction_uid=TRANSACTION)


@pytest.mark.parametrize(
    ("status", "error"),
    [(0x0122, NotOffered), (0x0211, NotOffered), (0x0110, Unreachable), (0x0213, Unreachable)],
)
def test_an_archive_that_refuses_the_request_is_told_from_one_that_does_not_offer_it(
    status: int, error: type[Exception]
) -> None:
    with (
        FussyPacs([0], reports_on_same=True, action_status=status).listening() as there,
        asking(there) as (sender, _),
        pytest.raises(error, match=f"0x{status:04X}"),
    ):
        sender.request_commitment(SENT, transaction_uid=TRANSACTION)


def test_an_archive_that_is_down_may_be_asked_later() -> None:
    with asking(FussyPacs([0])) as (sender, _), pytest.raises(Unreachable, match="does not answer"):
        sender.request_commitment(SENT, transaction_uid=TRANSACTION)


def test_a_destination_that_is_not_set_to_commit_itself_is_never_asked() -> None:
    with (
        FussyPacs([0], reports_on_same=True).listening() as there,
        asking(there, commits=False) as (sender, _),
        pytest.raises(NotOffered),
    ):
        sender.request_commitment(SENT, transaction_uid=TRANSACTION)

    assert there.requests == []
