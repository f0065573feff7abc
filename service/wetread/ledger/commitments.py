"""Storage commitment: what was asked of whom, recorded before it is asked, and what came of it.

A delivery that is sent and named by no request waits to be asked for; `next_attempt_at` says since when.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from sqlalchemy import Connection, RowMapping, Select, and_, insert, select, update

from wetread.domain import NEVER, CommitmentReport, Delivery, DeliveryId, DeliveryState, SopInstanceUid
from wetread.errors import Mismatch, NotFound
from wetread.ledger import tables
from wetread.ledger.deliveries import joined, to_delivery
from wetread.ledger.store import Store

_C = tables.commitments.c
_D = tables.deliveries.c
_NO_ANSWER: Final = "no storage commitment: the destination has not answered {times}"
_NOT_NAMED: Final = "no storage commitment: the destination's answer does not name it"
_NOT_KEPT: Final = "sent, but not kept by the destination{times}: {why}"
# Far below SQLite's bound on the variables of one statement.
_CHUNK: Final = 500


class CommitmentState(StrEnum):
    """Life of a request. `WITHDRAWN`: it did not reach the destination, or was not taken there."""

    ASKED = "asked"
    ANSWERED = "answered"
    LAPSED = "lapsed"
    WITHDRAWN = "withdrawn"


@dataclass(frozen=True, slots=True)
class Patience:
    """When what has failed is tried again.

    Each turns how often it has happened into seconds. After `most_failures` the destination is taken to
    refuse the object; it is sent again `after_refusal`, and at None only when a person asks.
    """

    after_lapse: Callable[[int], float]
    after_failure: Callable[[int], float]
    most_failures: int
    after_refusal: Callable[[int], float | None]


class Commitments:
    """Rows of requests, and what they do to the deliveries they name."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def open_request(
        self, destination: str, *, transaction_uid: str, now: float, wait_s: float, since: float, most: int
    ) -> list[Delivery]:
        """Record a request that names up to `most` deliveries sent after `since` and waiting; they.

        Only of studies of which nothing more is due to this destination. Empty, and nothing recorded, when
        none waits. The answer is awaited for `wait_s`.
        """
        query = _waiting(destination, now=now, since=since).limit(most)
        with self._store.read() as connection:
            if connection.execute(query).first() is None:
                return []
        with self._store.write() as connection:
            chosen = [row["id"] for row in connection.execute(_locked(query)).mappings()]
            if not chosen:
                return []
            row = {
                "transaction_uid": transaction_uid,
                "destination": destination,
                "state": CommitmentState.ASKED,
                "requested_at": now,
                "due_at": now + wait_s,
            }
            connection.execute(insert(tables.commitments).values(row))
            _change(connection, chosen, transaction_uid=transaction_uid)
            found = connection.execute(joined().where(_D.id.in_(chosen)).order_by(_D.id)).mappings()
            return [to_delivery(delivery) for delivery in found]

    def withdraw(self, transaction_uid: str, *, until: float, error: str) -> None:
        """The request was not taken: its deliveries are asked for again at `until`, and say why."""
        with self._store.write() as connection:
            _end(connection, transaction_uid, CommitmentState.WITHDRAWN)
            waiting = [row["id"] for row in _named(connection, [transaction_uid])]
            _change(connection, waiting, transaction_uid="", next_attempt_at=until, last_error=error)

    def lapse(self, destination: str, *, now: float, patience: Patience) -> int:
        """Give up requests whose answer is overdue; how many. Their deliveries wait to be asked for anew."""
        overdue = and_(_C.state == CommitmentState.ASKED, _C.due_at <= now, _C.destination == destination)
        query = select(_C.transaction_uid).where(overdue)
        with self._store.read() as connection:
            if connection.execute(query).first() is None:
                return 0
        with self._store.write() as connection:
            lapsed = [row["transaction_uid"] for row in connection.execute(_locked(query)).mappings()]
            for transaction_uid in lapsed:
                _end(connection, transaction_uid, CommitmentState.LAPSED)
            for row in _named(connection, lapsed):
                _ask_again(connection, row, now=now, patience=patience)
            return len(lapsed)

    def asked_of(self, transaction_uid: str) -> str:
        """The destination of a request, whatever came of it. Raises NotFound."""
        query = select(_C.destination).where(_C.transaction_uid == transaction_uid)
        with self._store.read() as connection:
            destination: str | None = connection.scalar(query)
        if destination is None:
            raise NotFound("no request for storage commitment of this transaction UID")
        return destination

    def settle(
        self, report: CommitmentReport, *, destination: str, now: float, patience: Patience
    ) -> list[DeliveryId]:
        """Enter a destination's answer; the deliveries that it committed itself to.

        A second answer to the same request changes nothing; one to a request that has lapsed still counts.
        What failed is sent again. Raises NotFound for a request that was never made of this destination.
        """
        with self._store.write() as connection:
            request = select(tables.commitments).where(_C.transaction_uid == report.transaction_uid)
            row = connection.execute(request.with_for_update()).mappings().first()
            if row is None:
                raise NotFound("no request for storage commitment of this transaction UID")
            if row["destination"] != destination:
                raise Mismatch("storage commitment was asked of another destination")
            if row["state"] == CommitmentState.ANSWERED:
                return []
            _end(connection, report.transaction_uid, CommitmentState.ANSWERED)
            kept = [row["id"] for row in _sent(connection, destination, report.kept)]
            done = {"state": DeliveryState.COMMITTED, "last_error": "", "transaction_uid": ""}
            _change(connection, kept, **done)
            for row in _sent(connection, destination, report.failed):
                why = report.failed[SopInstanceUid(row["sop_instance_uid"])]
                _send_again(connection, row, why=why, now=now, patience=patience)
            for row in _named(connection, [report.transaction_uid]):
                _ask_again(connection, row, now=now, patience=patience, error=_NOT_NAMED)
            return [DeliveryId(number) for number in kept]


def _waiting(destination: str, *, now: float, since: float) -> Select[tuple[object, ...]]:
    other = tables.deliveries.alias()
    is_unfinished = (
        select(other.c.id)
        .where(
            other.c.study_uid == _D.study_uid,
            other.c.destination == destination,
            other.c.state == DeliveryState.PENDING,
            other.c.next_attempt_at <= now,
        )
        .exists()
    )
    is_waiting = and_(
        _D.destination == destination,
        _D.state == DeliveryState.SENT,
        _D.transaction_uid == "",
        _D.next_attempt_at <= now,
        _D.sent_at > since,
    )
    return select(_D.id).where(is_waiting, ~is_unfinished).order_by(_D.id)


def _locked(query: Select[tuple[object, ...]]) -> Select[tuple[object, ...]]:
    # PostgreSQL: what another process is about to take is passed over.
    return query.with_for_update(skip_locked=True)


def _named(connection: Connection, transactions: Collection[str]) -> list[RowMapping]:
    match = and_(_D.transaction_uid.in_(transactions), _D.state == DeliveryState.SENT)
    return list(connection.execute(select(tables.deliveries).where(match)).mappings())


def _sent(connection: Connection, destination: str, uids: Iterable[str]) -> list[RowMapping]:
    asked, found = sorted(uids), list[RowMapping]()
    for start in range(0, len(asked), _CHUNK):
        match = and_(
            _D.sop_instance_uid.in_(asked[start : start + _CHUNK]),
            _D.destination == destination,
            _D.state == DeliveryState.SENT,
        )
        found += connection.execute(select(tables.deliveries).where(match)).mappings()
    return found


def _end(connection: Connection, transaction_uid: str, state: CommitmentState) -> None:
    match = _C.transaction_uid == transaction_uid
    connection.execute(update(tables.commitments).where(match).values(state=state))


def _change(connection: Connection, ids: Collection[int], **values: object) -> None:
    if ids:
        # Only what is still sent: another answer may have come in between.
        match = and_(_D.id.in_(ids), _D.state == DeliveryState.SENT)
        connection.execute(update(tables.deliveries).where(match).values(**values))


def _ask_again(
    connection: Connection, row: RowMapping, *, now: float, patience: Patience, error: str = _NO_ANSWER
) -> None:
    lapses = row["commit_lapses"] + 1
    _change(
        connection,
        [row["id"]],
        transaction_uid="",
        commit_lapses=lapses,
        next_attempt_at=now + patience.after_lapse(lapses),
        last_error=error.format(times="once" if lapses == 1 else f"{lapses} times"),
    )


def _send_again(connection: Connection, row: RowMapping, *, why: str, now: float, patience: Patience) -> None:
    failures = row["commit_failures"] + 1
    refusals = failures - patience.most_failures
    wait_s = patience.after_refusal(refusals) if refusals > 0 else patience.after_failure(failures)
    _change(
        connection,
        [row["id"]],
        state=DeliveryState.REFUSED if refusals > 0 else DeliveryState.PENDING,
        transaction_uid="",
        commit_failures=failures,
        attempts=0,
        next_attempt_at=NEVER if wait_s is None else now + wait_s,
        sent_at=None,
        last_status="not_committed",
        last_error=_NOT_KEPT.format(why=why, times=f" ({failures} times)" if refusals > 0 else ""),
    )
