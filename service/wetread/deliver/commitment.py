"""Storage Commitment SCU: asks an archive to commit itself to what it was sent (PS3.4 annex J)."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from types import MappingProxyType
from typing import Final

from pydicom.dataset import Dataset
from pynetdicom import evt
from pynetdicom.association import Association
from pynetdicom.dimse_primitives import N_EVENT_REPORT
from pynetdicom.presentation import build_context

from wetread.deliver.association import Caller
from wetread.domain import CommitmentReport, Delivery, SopInstanceUid
from wetread.errors import (
    Mismatch,
    NotFound,
    NotOffered,
    Transient,
    Unreachable,
    Unreadable,
    Unsupported,
    WetreadError,
)

STORAGE_COMMITMENT: Final = "1.2.840.10008.1.20.1"
# PS3.4 J.3.5: the one instance of the class, known to all.
WELL_KNOWN_INSTANCE: Final = "1.2.840.10008.1.20.1.1"
_REQUEST: Final = 1
_ALL_KEPT, _SOME_FAILED = 1, 2
# So long the association waits for an answer on it; one that comes later comes on one of the archive's own.
LISTEN_S: Final = 3.0
# PS3.7 C.4.2.1, C.5: what says that the service is not there, not that this request failed.
_NOT_OFFERED: Final = frozenset({0x0118, 0x0122, 0x0123, 0x0211})
# PS3.3 table C.14-1.
_FAILURES: Final = MappingProxyType(
    {
        0x0110: "processing failure",
        0x0112: "no such object there",
        0x0119: "another SOP class there",
        0x0122: "SOP class not supported",
        0x0131: "transaction UID already used",
        0x0213: "out of resources",
    }
)
# PS3.7 10.1.1.1.8; first match wins.
_ANSWERS: Final[tuple[tuple[type[Exception], int], ...]] = (
    (Unsupported, 0x0113),
    (NotFound, 0x0115),
    (Unreadable, 0x0115),
    (Mismatch, 0x0124),
    (Transient, 0x0213),
)
PROCESSING_FAILURE: Final = 0x0110
# The same in words.
REPORT_ANSWERS: Final = MappingProxyType(
    {
        0x0113: "No event of storage commitment.",
        0x0115: "No request of this transaction UID, or the information lacks what it must have.",
        0x0124: "Not from the destination that was asked.",
        0x0213: "The ledger is away: report it again.",
        PROCESSING_FAILURE: "A fault of the service.",
    }
)

Take = Callable[[CommitmentReport, str], None]

logger = logging.getLogger(__name__)


class CommitmentLine:
    """Requests to one archive, each over an association of its own.

    Not over that of the C-STOREs: an answer that comes in the midst of one would be taken for its response
    by pynetdicom, which then aborts.
    """

    def __init__(self, caller: Caller, *, archive: str, take: Take) -> None:
        self._caller = caller
        self._archive = archive
        self._take = take
        self._assoc: Association | None = None
        self._asked_at = 0.0

    def ask(self, deliveries: Sequence[Delivery], *, transaction_uid: str) -> None:
        """Send one N-ACTION. Raises NotOffered or Unreachable."""
        self.close()
        handlers = [(evt.EVT_N_EVENT_REPORT, self._on_report)]
        assoc = self._caller.associate([build_context(STORAGE_COMMITMENT)], handlers)
        if assoc is None:
            raise NotOffered("the destination does not offer storage commitment")
        self._assoc, self._asked_at = assoc, time.monotonic()
        action = _to_action(deliveries, transaction_uid)
        try:
            with self._caller.lifeline.within(self._caller.timeout_s):
                answer, _ = assoc.send_n_action(action, _REQUEST, STORAGE_COMMITMENT, WELL_KNOWN_INSTANCE)
        except RuntimeError as error:
            raise Unreachable("the association ended before commitment was requested") from error
        _judge(answer.Status if "Status" in answer else None)

    def rest(self) -> None:
        """Release the association once an answer on it is no longer awaited."""
        if self._assoc is not None and time.monotonic() - self._asked_at > LISTEN_S:
            self.close()

    def close(self) -> None:
        """Release the association."""
        assoc, self._assoc = self._assoc, None
        self._caller.release(assoc)

    def cut(self) -> None:
        """End the association from another thread."""
        self._caller.lifeline.cut()

    def _on_report(self, event: evt.Event) -> tuple[int, None]:
        # To what `take` raises as a fault pynetdicom answers PROCESSING_FAILURE.
        return answer_report(event, take=self._take, caller=self._archive), None


def answer_report(event: evt.Event, *, take: Take, caller: str) -> int:
    """Hand an N-EVENT-REPORT and the AE title that sent it to `take`; the DIMSE status of our answer.

    What `take` raises beside WetreadError is a fault of ours, and the door's: PROCESSING_FAILURE.
    """
    fields: dict[str, object] = {"caller": caller, "peer": event.assoc.remote.get("address", "")}
    try:
        report = _read_report(event)
        fields |= {"transaction": report.transaction_uid, "kept": len(report.kept)}
        take(report, caller)
    except WetreadError as error:
        status = next((code for kind, code in _ANSWERS if isinstance(error, kind)), PROCESSING_FAILURE)
        logger.warning("commitment report refused", extra=fields | {"why": str(error), "status": status})
        return status
    logger.info("commitment report received", extra=fields | {"failed": len(report.failed)})
    return 0x0000


def _to_action(deliveries: Sequence[Delivery], transaction_uid: str) -> Dataset:
    ds = Dataset()
    ds.TransactionUID = transaction_uid
    ds.ReferencedSOPSequence = [_to_reference(delivery) for delivery in deliveries]
    return ds


def _to_reference(delivery: Delivery) -> Dataset:
    ds = Dataset()
    ds.ReferencedSOPClassUID = delivery.object.SOPClassUID
    ds.ReferencedSOPInstanceUID = delivery.object.SOPInstanceUID
    return ds


def _judge(status: int | None) -> None:
    if status is None:
        raise Unreachable("no answer to the request for storage commitment")
    text = f"0x{status:04X}"
    if status in _NOT_OFFERED:
        raise NotOffered(f"the destination does not offer storage commitment ({text})", code=text)
    if status != 0x0000:
        raise Unreachable(f"the destination refused the request for storage commitment ({text})", code=text)


def _read_report(event: evt.Event) -> CommitmentReport:
    """What an event says. Raises Unsupported for another event, Unreadable when it is not as it must be."""
    assert isinstance(event.request, N_EVENT_REPORT)  # pynetdicom calls the handler for nothing else
    if event.event_type not in (_ALL_KEPT, _SOME_FAILED):
        raise Unsupported(f"no such event of storage commitment: {event.event_type}")
    if event.request.AffectedSOPInstanceUID != WELL_KNOWN_INSTANCE:
        raise Unreadable("not the instance of storage commitment")
    try:
        ds = event.event_information
        kept = frozenset(
            SopInstanceUid(str(item.ReferencedSOPInstanceUID)) for item in _items(ds, "Referenced")
        )
        failed = {
            SopInstanceUid(str(item.ReferencedSOPInstanceUID)): _reason(item) for item in _items(ds, "Failed")
        }
        return CommitmentReport(str(ds.TransactionUID), kept - failed.keys(), failed)
    except (AttributeError, KeyError, TypeError, ValueError, NotImplementedError, EOFError) as error:
        # pydicom's errors for what does not parse or lacks an attribute.
        raise Unreadable("the event's information is not as the standard says") from error


def _items(ds: Dataset, which: str) -> Sequence[Dataset]:
    return ds.get(f"{which}SOPSequence") or ()


def _reason(item: Dataset) -> str:
    code = int(item.get("FailureReason", PROCESSING_FAILURE))
    return f"{_FAILURES.get(code, 'a reason of its own')} (0x{code:04X})"
