"""Who is at work: each part of the service beats here, so that readiness can be told."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import delete, insert, select, update

from wetread.domain import AnalysisState
from wetread.ledger import tables
from wetread.ledger.store import Store


@dataclass(frozen=True, slots=True)
class Beat:
    """One living part. `provider` is ONNX Runtime's, for those that run models."""

    name: str
    role: str
    started_at: float
    beat_at: float
    provider: str = ""
    models: tuple[str, ...] = ()


class Workers:
    """Rows of living parts."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def beat(self, beat: Beat) -> None:
        """Say that this part is alive."""
        table = tables.workers
        values = {name: getattr(beat, name) for name in beat.__slots__} | {"models": list(beat.models)}
        with self._store.write() as connection:
            changed = connection.execute(update(table).where(table.c.name == beat.name).values(values))
            if changed.rowcount == 0:
                connection.execute(insert(table).values(values))

    def release_claims(self, name: str) -> None:
        """Free what a part of this name held when it died. Called by its successor, at start."""
        running = tables.analyses.c.state == AnalysisState.RUNNING
        with self._store.write() as connection:
            for table, lapse in (
                (tables.analyses, "lease_until"),
                (tables.deliveries, "lease_until"),
                (tables.studies, "claimed_until"),
            ):
                held = table.c.claimed_by == name
                match = held & running if table is tables.analyses else held
                connection.execute(update(table).where(match).values({lapse: 0.0, "claimed_by": ""}))

    def leave(self, name: str) -> None:
        """This part stops in good order."""
        with self._store.write() as connection:
            connection.execute(delete(tables.workers).where(tables.workers.c.name == name))

    def alive(self, *, since: float) -> list[Beat]:
        """Parts that have beaten since `since`, epoch seconds."""
        table = tables.workers
        query = select(table).where(table.c.beat_at >= since).order_by(table.c.role, table.c.name)
        with self._store.read() as connection:
            rows = connection.execute(query).mappings().all()
        return [Beat(**(dict(row) | {"models": tuple(row["models"])})) for row in rows]
