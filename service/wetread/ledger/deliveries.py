"""What each destination is still owed: refused is not the same as unreachable."""

from __future__ import annotations

import math
from collections.abc import Collection

from sqlalchemy import ColumnElement, Float, RowMapping, Select, and_, cast, or_, select, update

from wetread.domain import OUTSIDE_HOURS, Delivery, DeliveryId, DeliveryState, ResultObject, StudyUid
from wetread.ledger import tables
from wetread.ledger.reports import add_substitute, to_object
from wetread.ledger.store import Lease, Store, serialise

_D = tables.deliveries.c
_O = tables.objects.c


class Deliveries:
    """Rows of one object x one destination.

    What a publisher says of one counts only while nobody else has taken it since, nor finished it: `holder`
    is the publisher, None for whoever it may be.
    """

    def __init__(self, store: Store) -> None:
        self._store = store

    def claim_next(
        self, lease: Lease, *, only: Collection[str], bytes_s: float = math.inf
    ) -> Delivery | None:
        """Take a delivery that is due for one of the destinations `only`; None when none is.

        What was never tried comes first, what was refused last, the oldest of each first. The lease is longer
        by what the object takes at `bytes_s` bytes a second.
        """
        query = select(_D.id).where(_is_due(lease.now), _D.destination.in_(only))
        # What a destination never takes must not stand before what it would.
        order = (_D.state == DeliveryState.REFUSED, _D.attempts > 0, _D.next_attempt_at, _D.id)
        query = query.order_by(*order).limit(1)
        with self._store.read() as connection:
            if connection.execute(query).first() is None:
                return None
        with self._store.write() as connection:
            chosen = connection.scalar(query.with_for_update(skip_locked=True))
            if chosen is None:
                return None
            size_bytes = select(_O.size_bytes).where(_O.sop_instance_uid == _D.sop_instance_uid)
            change = {
                "lease_until": lease.until + cast(size_bytes.scalar_subquery(), Float) / bytes_s,
                "claimed_by": lease.holder,
                "attempts": _D.attempts + 1,
            }
            connection.execute(update(tables.deliveries).where(_D.id == chosen).values(change))
            row = connection.execute(joined().where(_D.id == chosen)).mappings().one()
        return to_delivery(row)

    def mark_sent(self, delivery: DeliveryId, *, status: str, now: float, holder: str | None = None) -> None:
        """The destination has it; a warning stays in `status`."""
        self._set(
            delivery,
            holder,
            state=DeliveryState.SENT,
            transaction_uid="",
            last_status=status,
            last_error="",
            sent_at=now,
            commit_lapses=0,
            next_attempt_at=now,
        )

    def mark_refused(
        self, delivery: DeliveryId, *, until: float, status: str, error: str, holder: str | None = None
    ) -> None:
        """The destination will not take it: for a person to look at, and tried once more at `until`."""
        change = {"next_attempt_at": until, "last_status": status, "last_error": error}
        self._set(delivery, holder, state=DeliveryState.REFUSED, **change)

    def mark_degraded(
        self, delivery: DeliveryId, *, status: str, error: str, holder: str | None = None
    ) -> None:
        """The destination takes no such object; what it gets of the same study says the same, plainer."""
        self._set(delivery, holder, state=DeliveryState.DEGRADED, last_status=status, last_error=error)

    def refuse_degraded(self, delivery: DeliveryId, *, until: float, error: str) -> None:
        """What should have said the same does not go out: for a person after all, and tried at `until`."""
        match = and_(_D.id == delivery, _D.state == DeliveryState.DEGRADED)
        change = {"state": DeliveryState.REFUSED, "next_attempt_at": until, "last_error": error}
        with self._store.write() as connection:
            connection.execute(update(tables.deliveries).where(match).values(change))

    def substitute(
        self, delivery: Delivery, made: ResultObject, *, now: float, status: str, error: str
    ) -> None:
        """Owe the destination `made` instead, and mark this delivery degraded, in one transaction.

        Doing it twice, or for two destinations, lists one object and owes each of them one.
        """
        with self._store.write() as connection:
            serialise(connection, made.SOPInstanceUID)
            change = {"state": DeliveryState.DEGRADED, "last_status": status, "last_error": error}
            match = _is_open(delivery.id, delivery.claimed_by)
            statement = update(tables.deliveries).where(match).values(lease_until=0.0, **change)
            if connection.execute(statement).rowcount:
                add_substitute(connection, delivery, made, now=now)

    def postpone(
        self, delivery: DeliveryId, *, until: float, status: str, error: str, holder: str | None = None
    ) -> None:
        """Not now: try again at `until`, epoch seconds."""
        self._set(delivery, holder, next_attempt_at=until, last_status=status, last_error=error)

    def defer(self, destination: str, *, now: float, until: float, why: str) -> None:
        """Let what is due to a destination outside its hours wait until `until`; no attempt is counted.

        What went wrong with it before stays to be read.
        """
        is_waiting = and_(_D.destination == destination, _D.state == DeliveryState.PENDING, _is_due(now))
        with self._store.read() as connection:
            if connection.execute(select(_D.id).where(is_waiting).limit(1)).first() is None:
                return
        has_nothing_else = _D.last_status.in_(("", OUTSIDE_HOURS))
        words = {"last_status": OUTSIDE_HOURS, "last_error": why}
        with self._store.write() as connection:
            connection.execute(update(tables.deliveries).where(is_waiting, has_nothing_else).values(words))
            connection.execute(update(tables.deliveries).where(is_waiting).values(next_attempt_at=until))

    def retry(self, delivery: DeliveryId, *, now: float) -> bool:
        """A person wants another try of what is pending, refused, degraded or unconfirmed; False for none."""
        open_states = (DeliveryState.PENDING, DeliveryState.REFUSED, DeliveryState.DEGRADED)
        match = and_(_D.id == delivery, or_(_D.state.in_(open_states), _is_unconfirmed()))
        counts = {"attempts": 0, "commit_lapses": 0, "commit_failures": 0}
        change = {"state": DeliveryState.PENDING, "next_attempt_at": now} | counts
        with self._store.write() as connection:
            return connection.execute(update(tables.deliveries).where(match).values(change)).rowcount == 1

    def of_study(self, study: StudyUid) -> list[Delivery]:
        """A study's deliveries in order of creation."""
        with self._store.read() as connection:
            rows = connection.execute(joined().where(_D.study_uid == study).order_by(_D.id)).mappings()
            return [to_delivery(row) for row in rows]

    def page(self, *, state: DeliveryState | None, after: int, limit: int) -> list[Delivery]:
        """Deliveries with an id above `after`, in order of id."""
        query = joined().where(_D.id > after).order_by(_D.id).limit(limit)
        if state is not None:
            query = query.where(_D.state == state)
        with self._store.read() as connection:
            return [to_delivery(row) for row in connection.execute(query).mappings()]

    def unconfirmed(self, *, limit: int) -> list[Delivery]:
        """What was sent and has trouble with its storage commitment, the newest first."""
        query = joined().where(_is_unconfirmed()).order_by(_D.id.desc()).limit(limit)
        with self._store.read() as connection:
            return [to_delivery(row) for row in connection.execute(query).mappings()]

    def _set(self, delivery: DeliveryId, holder: str | None, **change: object) -> None:
        match = _is_open(delivery, holder)
        statement = update(tables.deliveries).where(match).values(lease_until=0.0, **change)
        with self._store.write() as connection:
            connection.execute(statement)


def to_delivery(row: RowMapping) -> Delivery:
    """A row of deliveries joined with its object, as the noun."""
    return Delivery(
        id=DeliveryId(row["id"]),
        object=to_object(row),
        study=StudyUid(row["study_uid"]),
        destination=row["destination"],
        state=DeliveryState(row["state"]),
        attempts=row["attempts"],
        created_at=row["created_at"],
        next_attempt_at=row["next_attempt_at"],
        last_status=row["last_status"],
        last_error=row["last_error"],
        sent_at=row["sent_at"],
        claimed_by=row["claimed_by"],
        commit_lapses=row["commit_lapses"],
    )


def joined() -> Select[tuple[object, ...]]:
    """Deliveries with their objects, as `to_delivery` reads them."""
    objects = tables.objects.c
    own = (objects.sop_class_uid, objects.series_uid, objects.kind, objects.spool_key, objects.size_bytes)
    return select(tables.deliveries, *own, objects.source_uid).join(
        tables.objects, objects.sop_instance_uid == _D.sop_instance_uid
    )


def _is_unconfirmed() -> ColumnElement[bool]:
    return and_(_D.state == DeliveryState.SENT, _D.last_error != "")


def _is_open(delivery: DeliveryId, holder: str | None) -> ColumnElement[bool]:
    is_owed = _D.state.in_((DeliveryState.PENDING, DeliveryState.REFUSED))
    match = and_(_D.id == delivery, is_owed)
    return match if holder is None else and_(match, _D.claimed_by == holder)


def _is_due(now: float) -> ColumnElement[bool]:
    # What was refused goes on being tried, slowly, in the sight of whoever mends it.
    is_owed = _D.state.in_((DeliveryState.PENDING, DeliveryState.REFUSED))
    return and_(is_owed, _D.next_attempt_at <= now, _D.lease_until <= now)
