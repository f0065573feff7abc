"""Concluded revisions and their objects, written together with the deliveries they owe."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import ColumnElement, Connection, RowMapping, and_, exists, insert, select, update

from wetread.domain import (
    Delivery,
    DeliveryState,
    Destination,
    ObjectKind,
    Outcome,
    Report,
    ResultObject,
    SopInstanceUid,
    SpoolKey,
    StudyUid,
)
from wetread.ledger import tables
from wetread.ledger.held import Held, add_held
from wetread.ledger.store import Store
from wetread.ledger.studies import Claim


class Reports:
    """Rows of study revisions."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def conclude(
        self,
        claim: Claim,
        report: Report,
        *,
        worst_zone: str,
        destinations: Sequence[Destination],
        held: Sequence[Held] = (),
    ) -> bool:
        """Close the revision: report, objects, one pending delivery per destination, in one transaction.

        An object of an earlier revision is owed to the destinations that were not owed it yet; `held` did not
        pass. False, and nothing written, when an image came since the claim or another process was first.
        """
        with self._store.write() as connection:
            if not _close_study(connection, claim, report, worst_zone):
                return False
            values = {
                "study_uid": report.study,
                "revision": report.revision,
                "outcome": report.outcome,
                "created_at": report.created_at,
                "answer": report.answer,
                "inputs": list(report.inputs),
            }
            connection.execute(insert(tables.reports).values(values))
            for item in report.objects:
                _add_object(connection, report, item, destinations)
            add_held(connection, held)
            return True

    def revisions(self, study: StudyUid) -> list[Report]:
        """A study's revisions, oldest first, with their objects."""
        query = select(tables.reports).where(tables.reports.c.study_uid == study)
        with self._store.read() as connection:
            rows = connection.execute(query.order_by(tables.reports.c.revision)).mappings().all()
            return [_to_report(connection, row) for row in rows]

    def find_object(self, uid: SopInstanceUid) -> tuple[StudyUid, ResultObject] | None:
        """A result object and its study, by SOP Instance UID."""
        query = select(tables.objects).where(tables.objects.c.sop_instance_uid == uid)
        with self._store.read() as connection:
            row = connection.execute(query).mappings().first()
        return None if row is None else (StudyUid(row["study_uid"]), to_object(row))


def to_object(row: RowMapping) -> ResultObject:
    """A row as the noun."""
    return ResultObject(
        SOPInstanceUID=SopInstanceUid(row["sop_instance_uid"]),
        SOPClassUID=row["sop_class_uid"],
        SeriesInstanceUID=row["series_uid"],
        kind=ObjectKind(row["kind"]),
        spool_key=SpoolKey(row["spool_key"]),
        size_bytes=row["size_bytes"],
        source=SopInstanceUid(row["source_uid"]) if row["source_uid"] else None,
    )


def _close_study(connection: Connection, claim: Claim, report: Report, worst_zone: str) -> bool:
    studies = tables.studies.c
    unchanged = (
        studies.study_uid == claim.study,
        studies.state == "open",
        studies.revision == claim.revision - 1,
        studies.image_count == claim.image_count,
    )
    change = {
        "state": "concluded",
        "revision": claim.revision,
        "outcome": report.outcome,
        "worst_zone": worst_zone,
        "concluded_at": report.created_at,
        "claimed_until": 0.0,
        "problem": "",
    }
    return connection.execute(update(tables.studies).where(*unchanged).values(change)).rowcount == 1


def _add_object(
    connection: Connection, report: Report, item: ResultObject, destinations: Sequence[Destination]
) -> None:
    link = {"study_uid": report.study, "revision": report.revision, "sop_instance_uid": item.SOPInstanceUID}
    known = select(tables.objects.c.kind).where(tables.objects.c.sop_instance_uid == item.SOPInstanceUID)
    if connection.execute(known).first() is None:
        connection.execute(insert(tables.objects).values(_object_row(report.study, item)))
    owed = select(tables.deliveries.c.destination)
    owed = owed.where(tables.deliveries.c.sop_instance_uid == item.SOPInstanceUID)
    is_owed_to = set(connection.scalars(owed))
    # A destination set up since the earlier revision has none of its objects, and a later one names them.
    takers = [to.name for to in destinations if to.takes(item.kind) and to.name not in is_owed_to]
    rows = [_delivery_row(report.study, item, name, at=report.created_at) for name in takers]
    if rows:
        connection.execute(insert(tables.deliveries), rows)
    connection.execute(insert(tables.report_objects).values(link))


def add_substitute(connection: Connection, delivery: Delivery, made: ResultObject, *, now: float) -> None:
    """List an object beside the one it stands for, in the same revisions, and owe it to its destination."""
    links, owed = tables.report_objects.c, tables.deliveries.c
    uid = made.SOPInstanceUID
    if not _exists(connection, tables.objects.c.sop_instance_uid == uid):
        connection.execute(insert(tables.objects).values(_object_row(delivery.study, made)))
    beside = select(links.study_uid, links.revision).where(
        links.sop_instance_uid == delivery.object.SOPInstanceUID
    )
    for study, revision in connection.execute(beside).all():
        if not _exists(connection, and_(links.sop_instance_uid == uid, links.revision == revision)):
            row = {"study_uid": study, "revision": revision, "sop_instance_uid": uid}
            connection.execute(insert(tables.report_objects).values(row))
    if not _exists(connection, and_(owed.sop_instance_uid == uid, owed.destination == delivery.destination)):
        row = _delivery_row(delivery.study, made, delivery.destination, at=now)
        connection.execute(insert(tables.deliveries).values(row))


def _exists(connection: Connection, match: ColumnElement[bool]) -> bool:
    return bool(connection.scalar(select(exists().where(match))))


def _object_row(study: StudyUid, item: ResultObject) -> dict[str, object]:
    return {
        "sop_instance_uid": item.SOPInstanceUID,
        "study_uid": study,
        "sop_class_uid": item.SOPClassUID,
        "series_uid": item.SeriesInstanceUID,
        "kind": item.kind,
        "spool_key": item.spool_key,
        "size_bytes": item.size_bytes,
        "source_uid": item.source,
    }


def _delivery_row(study: StudyUid, item: ResultObject, destination: str, *, at: float) -> dict[str, object]:
    return {
        "sop_instance_uid": item.SOPInstanceUID,
        "study_uid": study,
        "destination": destination,
        "state": DeliveryState.PENDING,
        "created_at": at,
        "next_attempt_at": at,
    }


def _to_report(connection: Connection, row: RowMapping) -> Report:
    links, objects = tables.report_objects, tables.objects
    query = (
        select(objects)
        .join(links, links.c.sop_instance_uid == objects.c.sop_instance_uid)
        .where(links.c.study_uid == row["study_uid"], links.c.revision == row["revision"])
        .order_by(objects.c.kind.desc(), objects.c.sop_instance_uid)
    )
    found = connection.execute(query).mappings().all()
    return Report(
        study=StudyUid(row["study_uid"]),
        revision=row["revision"],
        outcome=Outcome(row["outcome"]),
        created_at=row["created_at"],
        objects=tuple(to_object(item) for item in found),
        answer=row["answer"],
        inputs=tuple(SopInstanceUid(uid) for uid in row["inputs"]),
    )
