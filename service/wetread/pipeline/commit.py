"""After the last step: destinations that offer it commit themselves to keep what they were sent."""

from __future__ import annotations

import logging
import time
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import Final

from wetread.deliver import Commitment, Sender
from wetread.deliver.pace import Pace
from wetread.domain import CommitmentReport, Delivery, Destination
from wetread.errors import Mismatch, Rejected, Transient
from wetread.ledger import Ledger
from wetread.ledger.commitments import Patience

# Objects that one request names; where each takes a query of its own, few: results wait meanwhile.
_MOST: Final = 200
_MOST_QUERIES: Final = 10
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
# So often what is not found may still be on its way into the index.
_PATIENT_QUERIES: Final = 3
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


def _after_query(lapses: int) -> float:
    return min(5.0 * 4.0 ** min(lapses - 1, 16), _DAY_S)


PATIENCE: Final = Patience(
    after_lapse=_after_lapse,
    after_failure=_after_failure,
    most_failures=5,
    after_refusal=_after_refusal,
)
# Of who answers at once what it finds: asked again after 5 s, 20 s, 80 s.
QUERY_PATIENCE: Final = replace(PATIENCE, after_lapse=_after_query)


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
        self.settle(report, destination, patience=PATIENCE)

    def settle(self, report: CommitmentReport, destination: str, *, patience: Patience) -> None:
        """The same for a destination known by name."""
        now = time.time()
        kept = self._ledger.commitments.settle(report, destination=destination, now=now, patience=patience)
        fields = {"destination": destination, "transaction": report.transaction_uid}
        if report.failed:
            logger.warning("not kept by the destination", extra=fields | {"objects": len(report.failed)})
        if kept:
            logger.info("committed", extra=fields | {"objects": len(kept)})


class Committer:
    """Asks for what has been sent, one request at a time to each destination, within its hours."""

    def __init__(
        self,
        *,
        ledger: Ledger,
        senders: Mapping[str, Sender],
        destinations: Sequence[Destination],
        registrar: Registrar,
        paces: Mapping[str, Pace] = MappingProxyType({}),
    ) -> None:
        self._ledger = ledger
        self._senders = senders
        self._asked = [item for item in destinations if item.commits and item.name in senders]
        self._registrar = registrar
        self._paces = paces
        self._resting_until: dict[str, float] = {}
        self._look_at = 0.0

    def ask_next(self) -> bool:
        """Make the request that is due; False when none is."""
        now = time.time()
        if now < self._look_at:
            return False
        for destination in self._asked:
            if self._is_awake(destination.name, now) and self._ask(destination, now):
                return True
        self._look_at = now + _LOOK_S
        return False

    def _is_awake(self, name: str, now: float) -> bool:
        pace = self._paces.get(name)
        return self._resting_until.get(name, 0.0) <= now and (pace is None or pace.is_open(now))

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
            most=_MOST_QUERIES if destination.kind == "dicomweb" else _MOST,
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
            asked_for_s = error.wait_s if isinstance(error, Transient) else _HOUR_S
            wait_s, now = max(_UNREACHABLE_S, asked_for_s), time.time()
            rest_s = _UNREACHABLE_S if isinstance(error, Rejected) else wait_s
            self._resting_until[name] = now + rest_s
            self._ledger.commitments.withdraw(transaction_uid, until=now + wait_s, error=str(error))
            logger.warning("storage commitment not requested", extra=fields | {"why": str(error)})
            return
        self._resting_until[name] = time.time() + _BETWEEN_S
        logger.info("storage commitment requested", extra=fields)
        if answer is not None:
            report = _to_report(answer, deliveries, transaction_uid)
            self._registrar.settle(report, name, patience=QUERY_PATIENCE)


def _to_report(answer: Commitment, deliveries: Sequence[Delivery], transaction_uid: str) -> CommitmentReport:
    # What was not found the first times is left unnamed, and so asked for again.
    sought = {item.object.SOPInstanceUID for item in deliveries if item.commit_lapses >= _PATIENT_QUERIES}
    return CommitmentReport(transaction_uid, answer.kept, dict.fromkeys(answer.failed & sought, _NOT_KEPT))
