"""The work: claimed under a lease, counted before it is done, finished once."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import asdict

from sqlalchemy import ColumnElement, Connection, RowMapping, and_, insert, or_, select, update

from wetread.domain import (
    Analysis,
    AnalysisId,
    AnalysisState,
    Box,
    Code,
    Finding,
    InstanceId,
    Lane,
    ModelId,
    OperatingPoints,
    SpoolKey,
    StudyUid,
    Zone,
)
from wetread.ledger import tables
from wetread.ledger.store import Lease, Store

_A = tables.analyses.c


class Analyses:
    """Rows of one instance x one model x one version."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def claim(self, analysis_id: AnalysisId, lease: Lease) -> Analysis | None:
        """Take this analysis under a lease; None when it is done, or another holds it."""
        with self._store.write() as connection:
            return _take(connection, analysis_id, lease)

    def claim_next(self, lease: Lease) -> Analysis | None:
        """Take the most urgent, then oldest, analysis that is waiting; None when nothing waits."""
        # Urgent sorts before routine only backwards: both lanes are named, never compared as text.
        order = (_A.lane != Lane.URGENT, _A.id)
        query = select(_A.id).where(_is_free(lease.now)).order_by(*order).limit(1)
        with self._store.read() as connection:
            if connection.execute(query).first() is None:
                return None
        with self._store.write() as connection:
            chosen = connection.scalar(query.with_for_update(skip_locked=True))
            return None if chosen is None else _take(connection, chosen, lease)

    def finish(
        self, analysis_id: AnalysisId, findings: Sequence[Finding], *, provider: str, now: float
    ) -> None:
        """Record the findings. The first end stands: what comes from a lapsed lease changes nothing."""
        with self._store.write() as connection:
            change = {"state": AnalysisState.DONE, "provider": provider, "finished_at": now}
            if not _close(connection, analysis_id, **change):
                return
            rows = [_finding_row(analysis_id, n, finding) for n, finding in enumerate(findings)]
            if rows:
                connection.execute(insert(tables.findings), rows)

    def fail(self, analysis_id: AnalysisId, *, reason: str, reason_text: str, now: float) -> None:
        """Record that this analysis will never have findings, and why; one that has ended stays as it is."""
        with self._store.write() as connection:
            _close(
                connection,
                analysis_id,
                state=AnalysisState.FAILED,
                reason=reason,
                reason_text=reason_text,
                finished_at=now,
            )

    def release(self, analysis_id: AnalysisId, *, not_before: float, is_counted: bool = True) -> None:
        """Give the analysis back, to be taken again from `not_before` on.

        Not counted: the attempt was no fault of the image's, and does not bring it nearer to being given up.
        """
        change = {"lease_until": not_before, "attempts": _A.attempts - (0 if is_counted else 1)}
        with self._store.write() as connection:
            match = and_(_A.id == analysis_id, _A.state == AnalysisState.RUNNING)
            connection.execute(update(tables.analyses).where(match).values(change))

    def waiting(self, *, now: float, older_than_s: float = 0.0) -> list[tuple[AnalysisId, Lane]]:
        """Analyses free to be taken, queued `older_than_s` ago or more: what a lost message leaves."""
        query = select(_A.id, _A.lane).where(_is_free(now), _A.queued_at <= now - older_than_s)
        with self._store.read() as connection:
            return [(AnalysisId(row_id), Lane(lane)) for row_id, lane in connection.execute(query)]

    def of_study(self, study: StudyUid) -> dict[InstanceId, list[Analysis]]:
        """A study's analyses with their findings, by instance, in order of creation."""
        query = select(tables.analyses).where(_A.study_uid == study).order_by(_A.id)
        found: dict[InstanceId, list[Analysis]] = defaultdict(list)
        with self._store.read() as connection:
            rows = connection.execute(query).mappings().all()
            findings = _findings_of(connection, [row["id"] for row in rows])
        for row in rows:
            found[InstanceId(row["instance_id"])].append(to_analysis(row, findings.get(row["id"], ())))
        return dict(found)


def to_analysis(row: RowMapping, findings: Sequence[Finding] = ()) -> Analysis:
    """A row as the noun."""
    return Analysis(
        id=AnalysisId(row["id"]),
        instance_id=InstanceId(row["instance_id"]),
        model=ModelId(row["model_name"], row["model_version"], row["model_digest"]),
        state=AnalysisState(row["state"]),
        lane=Lane(row["lane"]),
        attempts=row["attempts"],
        reason=row["reason"],
        reason_text=row["reason_text"],
        provider=row["provider"],
        findings=tuple(findings),
    )


def _is_free(now: float) -> ColumnElement[bool]:
    lapsed = and_(_A.state == AnalysisState.RUNNING, _A.lease_until <= now)
    return or_(_A.state == AnalysisState.PENDING, lapsed)


def _take(connection: Connection, analysis_id: AnalysisId, lease: Lease) -> Analysis | None:
    # Attempts are counted before the work: what kills the process is counted too.
    change = {
        "state": AnalysisState.RUNNING,
        "lease_until": lease.until,
        "claimed_by": lease.holder,
        "attempts": _A.attempts + 1,
    }
    statement = update(tables.analyses).where(_A.id == analysis_id, _is_free(lease.now)).values(change)
    row = connection.execute(statement.returning(tables.analyses)).mappings().first()
    return None if row is None else to_analysis(row)


def _close(connection: Connection, analysis_id: AnalysisId, **change: object) -> bool:
    is_open = _A.state.in_((AnalysisState.PENDING, AnalysisState.RUNNING))
    statement = update(tables.analyses).where(_A.id == analysis_id, is_open)
    return connection.execute(statement.values(lease_until=0.0, **change)).rowcount == 1


def _finding_row(analysis_id: AnalysisId, position: int, finding: Finding) -> dict[str, object]:
    return {
        "analysis_id": analysis_id,
        "position": position,
        "label": finding.label,
        "code_value": finding.code.value,
        "code_scheme": finding.code.scheme,
        "code_meaning": finding.code.meaning,
        "probability": finding.probability,
        "zone": finding.zone,
        "sensitive": finding.operating_points.sensitive,
        "specific": finding.operating_points.specific,
        "boxes": [asdict(box) for box in finding.boxes],
        "heat_map": finding.heat_map,
    }


def _findings_of(connection: Connection, ids: Sequence[int]) -> dict[int, list[Finding]]:
    table = tables.findings
    query = select(table).where(table.c.analysis_id.in_(ids)).order_by(table.c.analysis_id, table.c.position)
    found: dict[int, list[Finding]] = defaultdict(list)
    for row in connection.execute(query).mappings():
        found[row["analysis_id"]].append(_to_finding(row))
    return found


def _to_finding(row: RowMapping) -> Finding:
    return Finding(
        code=Code(row["code_value"], row["code_scheme"], row["code_meaning"]),
        label=row["label"],
        probability=row["probability"],
        zone=Zone(row["zone"]),
        operating_points=OperatingPoints(row["sensitive"], row["specific"]),
        boxes=tuple(Box(**box) for box in row["boxes"]),
        heat_map=SpoolKey(row["heat_map"]) if row["heat_map"] else None,
    )
