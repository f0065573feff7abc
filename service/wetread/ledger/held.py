"""What failed the gate and did not leave, with its reason, where a person finds it."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, RowMapping, insert, select

from wetread.domain import ObjectKind, SopInstanceUid, StudyUid
from wetread.ledger import tables
from wetread.ledger.store import Store, serialise

_H = tables.held.c


@dataclass(frozen=True, slots=True)
class Held:
    """One object held back, by the UID it would have had; `source` is the one image it is about, if any.

    `reason` names attributes and rules and quotes no value.
    """

    study: StudyUid
    revision: int
    kind: ObjectKind
    SOPInstanceUID: SopInstanceUid
    reason: str
    at: float
    source: SopInstanceUid | None = None
    id: int = 0


class HeldObjects:
    """Rows of objects held back."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def add(self, entries: Sequence[Held]) -> None:
        """Record what is held; the same once more, as a second run finds it, is one row."""
        with self._store.write() as connection:
            add_held(connection, entries)

    def of_study(self, study: StudyUid) -> list[Held]:
        """A study's held objects, oldest first."""
        query = select(tables.held).where(_H.study_uid == study).order_by(_H.id)
        with self._store.read() as connection:
            return [_to_held(row) for row in connection.execute(query).mappings()]

    def page(self, *, after: int = 0, limit: int = 100) -> list[Held]:
        """Entries with an id above `after`, in order of id."""
        query = select(tables.held).where(_H.id > after).order_by(_H.id).limit(limit)
        with self._store.read() as connection:
            return [_to_held(row) for row in connection.execute(query).mappings()]

    def newest(self, *, limit: int) -> list[Held]:
        """The last entries, newest first."""
        query = select(tables.held).order_by(_H.id.desc()).limit(limit)
        with self._store.read() as connection:
            return [_to_held(row) for row in connection.execute(query).mappings()]


def add_held(connection: Connection, entries: Sequence[Held]) -> None:
    """The same in the transaction of a revision."""
    for held in entries:
        digest = _digest(held)
        serialise(connection, digest)
        if connection.execute(select(_H.id).where(_H.digest == digest)).first() is None:
            connection.execute(insert(tables.held).values(_to_row(held) | {"digest": digest}))


def _to_row(held: Held) -> dict[str, object]:
    return {
        "study_uid": held.study,
        "revision": held.revision,
        "kind": held.kind,
        "sop_instance_uid": held.SOPInstanceUID,
        "source_uid": held.source,
        "reason": held.reason,
        "at": held.at,
    }


def _digest(held: Held) -> str:
    parts = (held.study, str(held.revision), held.kind, held.SOPInstanceUID, held.reason)
    return hashlib.sha256("\x1f".join(parts).encode()).hexdigest()


def _to_held(row: RowMapping) -> Held:
    return Held(
        study=StudyUid(row["study_uid"]),
        revision=row["revision"],
        kind=ObjectKind(row["kind"]),
        SOPInstanceUID=SopInstanceUid(row["sop_instance_uid"]),
        reason=row["reason"],
        at=row["at"],
        source=SopInstanceUid(row["source_uid"]) if row["source_uid"] else None,
        id=row["id"],
    )
