"""What was not taken, with its reason, where a person finds it."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import insert, select

from wetread.domain import SpoolKey
from wetread.ledger import tables
from wetread.ledger.store import Store


@dataclass(frozen=True, slots=True)
class Quarantined:
    """One refused object; `spool_key` names a bounded copy of its bytes when one was kept."""

    at: float
    reason: str
    reason_text: str
    size_bytes: int
    sop_instance_uid: str
    calling_aet: str
    peer: str
    door: str
    spool_key: SpoolKey | None = None
    id: int = 0


class Quarantine:
    """Rows of refused objects."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def add(self, entry: Quarantined) -> int:
        """Record one refusal; its id."""
        values = {name: getattr(entry, name) for name in entry.__slots__ if name != "id"}
        statement = insert(tables.quarantine).values(values).returning(tables.quarantine.c.id)
        with self._store.write() as connection:
            return int(connection.execute(statement).scalar_one())

    def page(self, *, after: int = 0, limit: int = 100) -> list[Quarantined]:
        """Entries with an id above `after`, in order of id."""
        table = tables.quarantine
        query = select(table).where(table.c.id > after).order_by(table.c.id).limit(limit)
        with self._store.read() as connection:
            return [Quarantined(**row) for row in connection.execute(query).mappings()]
