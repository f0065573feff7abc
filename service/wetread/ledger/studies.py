"""Studies from first image to concluded revision, and the timeline of their steps."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Connection, and_, case, exists, func, insert, select, update

from wetread.domain import AnalysisState, SopInstanceUid, StudyUid
from wetread.ledger import tables
from wetread.ledger.store import Lease, Store

_S = tables.studies.c
_UNFINISHED = (AnalysisState.PENDING, AnalysisState.RUNNING)


@dataclass(frozen=True, slots=True)
class Claim:
    """One study taken to be concluded as `revision`; valid while `image_count` still holds.

    `known_at` is when the last of what it is concluded from was known, epoch seconds: the same however often
    it is claimed. `problem` is what ended the attempt before, '' where nothing is known of it.
    """

    study: StudyUid
    revision: int
    image_count: int
    attempts: int
    known_at: float = 0.0
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Step:
    """One entry of a study's timeline; `at` is its end, epoch seconds."""

    step: str
    at: float
    duration_ms: float = 0.0
    instance: SopInstanceUid | None = None
    revision: int = 0
    detail: str = ""


class Studies:
    """Rows of studies."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def claim_due(self, lease: Lease, *, quiet_s: float) -> Claim | None:
        """Take one study that is quiet and fully analysed, under a lease; None when none is."""
        # By attempts first: a study that cannot be concluded never stands before one that can.
        order = (_S.attempts, _S.last_image_at)
        query = select(_S.study_uid).where(_is_due(lease.now, quiet_s)).order_by(*order).limit(1)
        with self._store.read() as connection:
            if connection.execute(query).first() is None:
                return None
        with self._store.write() as connection:
            chosen = connection.scalar(query.with_for_update(skip_locked=True))
            if chosen is None:
                return None
            change = {
                "claimed_until": lease.until,
                "claimed_by": lease.holder,
                "attempts": _S.attempts + 1,
            }
            statement = update(tables.studies).where(_S.study_uid == chosen).values(change)
            row = connection.execute(
                statement.returning(_S.revision, _S.image_count, _S.attempts, _S.last_image_at, _S.problem)
            ).one()
            known_at = max(row.last_image_at, _read_at(connection, chosen))
        return Claim(StudyUid(chosen), row.revision + 1, row.image_count, row.attempts, known_at, row.problem)

    def release(self, study: StudyUid, *, not_before: float, problem: str, is_counted: bool = True) -> None:
        """Give a claimed study back with what went wrong, to be tried again from `not_before` on.

        Not counted: the attempt was no fault of the study's. A study that was concluded stays as it is.
        """
        attempts = _S.attempts - (0 if is_counted else 1)
        change = {"claimed_until": not_before, "problem": problem, "attempts": attempts}
        match = and_(_S.study_uid == study, _S.state == "open")
        with self._store.write() as connection:
            connection.execute(update(tables.studies).where(match).values(change))

    def next_due_at(self, *, quiet_s: float) -> float | None:
        """When the first open study will be quiet, epoch seconds; None when no study is open."""
        quiet_at = _S.last_image_at + quiet_s
        due = case((_S.claimed_until > quiet_at, _S.claimed_until), else_=quiet_at)
        query = select(func.min(due)).where(_S.state == "open", ~_has_work())
        with self._store.read() as connection:
            at: float | None = connection.scalar(query)
            return at

    def note(self, study: StudyUid, steps: Sequence[Step]) -> None:
        """Append to the study's timeline."""
        rows = [
            {
                "study_uid": study,
                "revision": step.revision,
                "sop_instance_uid": step.instance or "",
                "step": step.step,
                "at": step.at,
                "duration_ms": step.duration_ms,
                "detail": step.detail,
            }
            for step in steps
        ]
        with self._store.write() as connection:
            connection.execute(insert(tables.timeline), rows)

    def timeline(self, study: StudyUid) -> list[Step]:
        """The study's steps in the order they were noted."""
        query = select(tables.timeline).where(tables.timeline.c.study_uid == study)
        with self._store.read() as connection:
            rows = connection.execute(query.order_by(tables.timeline.c.id)).mappings().all()
        return [
            Step(
                step=row["step"],
                at=row["at"],
                duration_ms=row["duration_ms"],
                instance=SopInstanceUid(row["sop_instance_uid"]) if row["sop_instance_uid"] else None,
                revision=row["revision"],
                detail=row["detail"],
            )
            for row in rows
        ]


def _read_at(connection: Connection, study: str) -> float:
    """When the last analysis ended, epoch seconds; 0 when none was to be made."""
    analyses = tables.analyses.c
    query = select(func.max(analyses.finished_at)).where(analyses.study_uid == study)
    return connection.scalar(query) or 0.0


def _has_work() -> ColumnElement[bool]:
    analyses = tables.analyses.c
    return exists().where(analyses.study_uid == _S.study_uid, analyses.state.in_(_UNFINISHED))


def _is_due(now: float, quiet_s: float) -> ColumnElement[bool]:
    quiet = and_(_S.last_image_at <= now - quiet_s, _S.claimed_until <= now)
    return and_(_S.state == "open", quiet, ~_has_work())
