from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from pydicom.dataset import Dataset
from pynetdicom.presentation import build_context

from tests.system.child import free_port
from tests.system.fussy_pacs import report, to_event
from tests.unit.ledger.rows import PACS, finish_all, lease, register, result, study_of
from tests.unit.ledger.rows import report as report_of
from tests.unit.pipeline.parts import first_step
from tests.unit.receive.scu import associated
from wetread.config import DicomSettings
from wetread.deliver.commitment import STORAGE_COMMITMENT, WELL_KNOWN_INSTANCE
from wetread.domain import CommitmentReport, DeliveryState, Destination
from wetread.ledger import Ledger
from wetread.ledger.studies import Claim
from wetread.pipeline.commit import Registrar
from wetread.receive.handlers import Handlers
from wetread.receive.listener import listening

DESTINATIONS = (
    Destination("pacs", "dicom", "127.0.0.1", 104, "PACS", commits=True, calling_aet="AI_READER"),
    Destination("other", "dicom", "127.0.0.1", 105, "OTHER", commits=True),
    Destination("plain", "dicom", "127.0.0.1", 106, "PLAIN"),
    Destination("same archive", "dicom", "127.0.0.1", 107, "PACS", commits=True),
)
TRANSACTION = "2.25.17"


@dataclass(frozen=True, slots=True)
class Asked:
    """A listener, and one object that the destination `pacs` has been asked to commit itself to."""

    port: int
    ledger: Ledger
    reference: Dataset

    def request(self, transaction: str = TRANSACTION) -> Dataset:
        ds = Dataset()
        ds.TransactionUID = transaction
        return ds

    def tell(self, *, caller: str = "PACS", called: str = "AI_READER", transaction: str = TRANSACTION) -> int:
        event = to_event(self.request(transaction), [self.reference], [])
        return report(event, self.port, called=called, caller=caller)

    @property
    def state(self) -> DeliveryState:
        [delivery] = self.ledger.deliveries.of_study(study_of("one"))
        return delivery.state


@pytest.fixture
def asked(tmp_path: Path) -> Iterator[Asked]:
    port = free_port()
    with first_step(tmp_path) as step:
        handlers = Handlers(
            admitter=step.admitter,
            registrar=Registrar(ledger=step.ledger, destinations=DESTINATIONS),
            titles={"AI_READER"},
        )
        with listening(DicomSettings(port=port, network_timeout_s=10), handlers):
            yield Asked(port, step.ledger, _owe_and_ask(step.ledger))


def _owe_and_ask(ledger: Ledger) -> Dataset:
    register(ledger, "one")
    finish_all(ledger)
    made, study = result("sr"), study_of("one")
    ledger.reports.conclude(
        Claim(study, 1, 1, 1), report_of(study, 1, made), worst_zone="", destinations=[PACS]
    )
    delivery = ledger.deliveries.claim_next(lease(120.0), only=("pacs",))
    assert delivery is not None
    ledger.deliveries.mark_sent(delivery.id, status="0x0000", now=120.0)
    assert ledger.commitments.open_request(
        "pacs", transaction_uid=TRANSACTION, now=130.0, wait_s=60.0, since=0.0, most=9
    )
    reference = Dataset()
    reference.ReferencedSOPClassUID = made.SOPClassUID
    reference.ReferencedSOPInstanceUID = made.SOPInstanceUID
    return reference


def test_a_report_on_an_association_of_the_archives_own_commits_the_object(asked: Asked) -> None:
    assert (asked.tell(), asked.state) == (0x0000, DeliveryState.COMMITTED)


def test_the_same_report_again_is_answered_and_changes_nothing(asked: Asked) -> None:
    assert [asked.tell(), asked.tell()] == [0x0000, 0x0000]
    assert asked.state is DeliveryState.COMMITTED


def test_a_report_may_call_us_by_the_title_of_the_listener_too(asked: Asked) -> None:
    assert asked.tell(called="WETREAD") == 0x0000


@pytest.mark.parametrize("caller", ["OTHER", "PLAIN", "STRANGER"])
def test_a_report_of_somebody_who_was_not_asked_is_not_authorised(asked: Asked, caller: str) -> None:
    assert (asked.tell(caller=caller), asked.state) == (0x0124, DeliveryState.SENT)


def test_a_report_of_a_transaction_that_was_never_asked_is_an_invalid_argument(asked: Asked) -> None:
    assert (asked.tell(transaction="2.25.999"), asked.state) == (0x0115, DeliveryState.SENT)


def test_an_event_that_storage_commitment_does_not_know_is_told_so(asked: Asked) -> None:
    event = to_event(asked.request(), [asked.reference], [])

    status = report(event, asked.port, called="WETREAD", caller="PACS", event_type=7)

    assert (status, asked.state) == (0x0113, DeliveryState.SENT)


@pytest.mark.parametrize("lacking", ["TransactionUID", "ReferencedSOPInstanceUID"])
def test_a_report_that_lacks_what_it_must_have_is_an_invalid_argument(asked: Asked, lacking: str) -> None:
    event = to_event(asked.request(), [asked.reference], [])
    del (event if lacking in event else event.ReferencedSOPSequence[0])[lacking]

    status = report(event, asked.port, called="WETREAD", caller="PACS")

    assert (status, asked.state) == (0x0115, DeliveryState.SENT)


class FaultyRegistrar(Registrar):
    """One with a fault of ours in it."""

    def enter(self, report: CommitmentReport, caller: str) -> None:
        raise ZeroDivisionError


def test_a_fault_of_ours_is_answered_as_one_and_logged_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    port = free_port()
    with first_step(tmp_path) as step:
        registrar = FaultyRegistrar(ledger=step.ledger, destinations=DESTINATIONS)
        handlers = Handlers(admitter=step.admitter, registrar=registrar, titles={"AI_READER"})
        with listening(DicomSettings(port=port, network_timeout_s=10), handlers):
            status = Asked(port, step.ledger, _owe_and_ask(step.ledger)).tell()

    assert status == 0x0110
    [fault] = [record for record in caplog.records if record.levelname == "ERROR"]
    assert fault.message == "commitment report refused by a fault of ours"


def test_we_commit_ourselves_to_nothing_that_we_are_asked_to_keep(asked: Asked) -> None:
    request = to_event(asked.request(), [asked.reference], [])

    with associated(asked.port, contexts=[build_context(STORAGE_COMMITMENT)]) as assoc:
        answer, _ = assoc.send_n_action(request, 1, STORAGE_COMMITMENT, WELL_KNOWN_INSTANCE)

    assert answer.Status == 0x0211
