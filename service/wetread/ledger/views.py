"""What people and programs ask of the ledger: the worklist, one study, the counts."""

from __future__ import annotations

import time
from collections.abc import Collection
from dataclasses import dataclass
from typing import Final

from sqlalchemy import RowMapping, case, func, select

from wetread.domain import DeliveryState, ObjectKind, StudyUid, Zone
from wetread.ledger import tables
from wetread.ledger.store import Store

_S = tables.studies.c
_FRESH_S: Final = 24 * 3600.0


@dataclass(frozen=True, slots=True)
class StudyLine:
    """One line of the worklist. Times are epoch seconds; personal fields as the images said."""

    study: StudyUid
    state: str
    revision: int
    outcome: str
    worst_zone: str
    is_urgent: bool
    first_image_at: float
    last_image_at: float
    concluded_at: float | None
    image_count: int
    patient_id: str
    patient_name: str
    patient_birth_date: str
    patient_sex: str
    accession_number: str
    study_date: str
    study_time: str
    study_description: str
    problem: str


@dataclass(frozen=True, slots=True)
class Plainer:
    """Objects of one kind that one destination does not take, and in whose place it gets plainer ones."""

    destination: str
    kind: ObjectKind
    why: str
    count: int


class Views:
    """Read-only questions over several tables."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def worklist(self, *, limit: int, offset: int = 0, now: float | None = None) -> list[StudyLine]:
        """Triage order: the last 24 hours first, then all that is older.

        In each half: urgent, positive, doubtful, then the rest; within these, by arrival. Age is that of the
        first image at `now`, epoch seconds, None for the present. A model only ever raises a study: negative
        and not evaluable ones keep their order of arrival.
        """
        since = (time.time() if now is None else now) - _FRESH_S
        is_old = case((_S.first_image_at < since, 1), else_=0)
        rank = case(
            (_S.is_urgent, 0),
            (_S.worst_zone == Zone.POSITIVE, 1),
            (_S.worst_zone == Zone.DOUBTFUL, 2),
            else_=3,
        )
        query = select(tables.studies).order_by(is_old, rank, _S.first_image_at, _S.study_uid)
        with self._store.read() as connection:
            rows = connection.execute(query.limit(limit).offset(offset)).mappings()
            return [_to_line(row) for row in rows]

    def study(self, study: StudyUid) -> StudyLine | None:
        """One study's line; None when it is not here."""
        with self._store.read() as connection:
            row = connection.execute(select(tables.studies).where(_S.study_uid == study)).mappings().first()
        return None if row is None else _to_line(row)

    def counts(self) -> dict[str, dict[str, int]]:
        """Rows by state: studies, analyses, deliveries; totals of instances, held objects, quarantine."""
        grouped = {
            "studies": (tables.studies, tables.studies.c.state),
            "analyses": (tables.analyses, tables.analyses.c.state),
            "deliveries": (tables.deliveries, tables.deliveries.c.state),
            "held": (tables.held, tables.held.c.kind),
            "quarantine": (tables.quarantine, tables.quarantine.c.reason),
            "instances": (tables.instances, tables.instances.c.door),
        }
        with self._store.read() as connection:
            found: dict[str, dict[str, int]] = {}
            for name, (table, column) in grouped.items():
                query = select(column, func.count()).select_from(table).group_by(column)
                found[name] = {str(state): int(count) for state, count in connection.execute(query)}
            return found

    def plainer(self) -> list[Plainer]:
        """Which destinations get something plainer than they should, and why, by name."""
        deliveries, objects = tables.deliveries.c, tables.objects.c
        groups = (deliveries.destination, objects.kind, deliveries.last_error)
        query = (
            select(*groups, func.count())
            .join(tables.objects, objects.sop_instance_uid == deliveries.sop_instance_uid)
            .where(deliveries.state == DeliveryState.DEGRADED)
            .group_by(*groups)
            .order_by(*groups)
        )
        with self._store.read() as connection:
            rows = connection.execute(query).all()
        return [Plainer(destination, ObjectKind(kind), why, count) for destination, kind, why, count in rows]

    def stranded(self, known: Collection[str]) -> dict[str, int]:
        """Deliveries still owed to destinations that are not among the `known`: how many to each, by name."""
        deliveries = tables.deliveries.c
        is_owed = deliveries.state.in_((DeliveryState.PENDING, DeliveryState.REFUSED))
        query = (
            select(deliveries.destination, func.count())
            .where(is_owed, deliveries.destination.not_in(known))
            .group_by(deliveries.destination)
            .order_by(deliveries.destination)
        )
        with self._store.read() as connection:
            return {name: int(count) for name, count in connection.execute(query)}

    def oldest_waiting_at(self) -> float | None:
        """When the oldest unfinished analysis was queued, epoch seconds."""
        analyses = tables.analyses.c
        query = select(func.min(analyses.queued_at)).where(analyses.state.in_(("pending", "running")))
        with self._store.read() as connection:
            at: float | None = connection.scalar(query)
            return at


def _to_line(row: RowMapping) -> StudyLine:
    names = (name for name in StudyLine.__slots__ if name != "study")
    return StudyLine(study=StudyUid(row["study_uid"]), **{name: row[name] for name in names})
