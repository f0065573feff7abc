"""After the last step: destinations that offer it commit themselves to keep what they were sent."""

from __future__ import annotations

import logging
import time
import uuid
from collections.abc import Mapping, Sequence
from typing import Final

from wetread.deliver import Commitment, Sender
from wetread.domain import CommitmentReport, Delivery, Destination
from wetread.errors import Mismatch, Rejected, Transient
from wetread.ledger import Ledger
from wetread.ledger.commitments import Patience

# Objects that one request names.
_MOST: Final = 200
# The ledger is asked so often what is due.
_LOOK_S: Final = 0.5
# An archive may answer on the association of the request: the next request leaves it the time.
_BETWEEN_S: Final = 3.0
# What was sent before is asked for no more: an archive may long have deleted it on purpose.
_OLDEST_S: Final = 7 * 24 * 3600.0
_HOUR_S: Final = 3600.0
_DAY_S: Final = 24 * _HOUR_S
_WEEK_S: Final = 7 * _DAY_S
_PATIENT_LAPSES: Final = 3
_MOST_REFUSALS: Final = 6
_UNREACHABLE_S: Final = 60.0
_NOT_KEPT: Final = "not found there"

logger = logging.getLogger(__name__)


def _after_lapse(lapses: int) -> float:
    """At once the first times, then after an hour, two, four, up to a day."""
    if lapses < _PATIENT_LAPSES:
        return 0.0
    return min(_HOUR_S * 2.0 ** min(lapses - _PATIENT_LAPSES, 16), _DAY_S)


def _after_failure(failures: int) -> float:
    return 2.0 * 4.0 ** min(failures - 1, 16)


def _after_refusal(refusals: int) -> float | None:
    """After an hour, four, sixteen, up to a week, then no more: it never kept what it was sent."""
    if refusals > _MOST_REFUSALS:
        return None
    return min(_HOUR_S * 4.0 ** (refusals - 1), _WEEK_S)


PATIENCE: Final = Patience(
    after_lapse=_after_lapse,
    after_failure=_after_failure,
    most_failures=5,
    after_refusal=_after_refusal,
)


class Registrar:
    """Enters in the ledger what destinations report, in whichever process the report arrives."""

    def __init__(self, *, ledger: Ledger, destinations: Sequence[Destination]) -> None:
        self._ledger = ledger
        self._titles = {item.name: item.ae_title for item in destinations if item.commits}

    def enter(self, report: CommitmentReport, caller: str) -> None:
        """Enter a report of the application entity `caller`.

        Raises Mismatch when it is not the destination that was asked, NotFound for a request that was never
        made.
        """
        # Two destinations may be one archive under one title: the request tells them apart.
        destination = self._ledger.commitments.asked_of(report.transaction_uid)
        if self._titles.get(destination) != caller:
            raise Mismatch("storage commitment was asked of another destination")
        self.settle(report, destination)

    def settle(self, report: CommitmentReport, destination: str) -> None:
        """The same for a destination known by name."""
        now = time.time()
        kept = self._ledger.commitments.settle(report, destination=destination, now=now, patience=PATIENCE)
        fields = {"destination": destination, "transaction": report.transaction_uid}
        if report.failed:
            logger.warning("not kept by the destination", extra=fields | {"objects": len(report.failed)})
        if kept:
            logger.info("committed", extra=fields | {"objects": len(kept)})


class Committer:
    """Asks for what has been sent, one request at a time to each destination."""

    def __init__(
        self,
        *,
        ledger: Ledger,
        senders: Mapping[str, Sender],
        destinations: Sequence[Destination],
        registrar: Registrar,
    ) -> None:
        self._ledger = ledger
        self._senders = senders
        self._asked = [item for item in destinations if item.commits and item.name in senders]
        self._registrar = registrar
        self._resting_until: dict[str, float] = {}
        self._look_at = 0.0

    def ask_next(self) -> bool:
        """Make the request that is due; False when none is."""
        now = time.time()
        if now < self._look_at:
            return False
        for destination in self._asked:
            if self._resting_until.get(destination.name, 0.0) <= now and self._ask(destination, now):
                return True
        self._look_at = now + _LOOK_S
        return False

    def _ask(self, destination: Destination, now: float) -> bool:
        lapsed = self._ledger.commitments.lapse(destination.name, now=now, patience=PATIENCE)
        if lapsed:
            fields = {"destination": destination.name, "requests": lapsed}
            logger.warning("storage commitment not answered in time", extra=fields)
        transaction_uid = f"2.25.{uuid.uuid4().int}"
        deliveries = self._ledger.commitments.open_request(
            destination.name,
            transaction_uid=transaction_uid,
            now=now,
            wait_s=destination.commit_wait_s,
            since=now - _OLDEST_S,
            most=_MOST,
        )
        if deliveries:
            self._request(destination.name, deliveries, transaction_uid)
        return bool(deliveries)

    def _request(self, name: str, deliveries: Sequence[Delivery], transaction_uid: str) -> None:
        fields = {"destination": name, "objects": len(deliveries), "transaction": transaction_uid}
        try:
            answer = self._senders[name].request_commitment(deliveries, transaction_uid=transaction_uid)
        except (Rejected, Transient) as error:
            # Refused is for a person; nothing is lost meanwhile, so both are asked again without hurry.
            wait_s = _HOUR_S if isinstance(error, Rejected) else _UNREACHABLE_S
            now = time.time()
            self._resting_until[name] = now + _UNREACHABLE_S
            self._ledger.commitments.withdraw(transaction_uid, until=now + wait_s, error=str(error))
            logger.warning("storage commitment not requested", extra=fields | {"why": str(error)})
            return
        self._resting_until[name] = time.time() + _BETWEEN_S
        logger.info("storage commitment requested", extra=fields)
        if answer is not None:
            self._registrar.settle(_to_report(answer, transaction_uid), name)


def _to_report(answer: Commitment, transaction_uid: str) -> CommitmentReport:
    return CommitmentReport(transaction_uid, answer.kept, dict.fromkeys(answer.failed, _NOT_KEPT))
