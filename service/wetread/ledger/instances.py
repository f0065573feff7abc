"""What was received: one row per SOP instance and content, with the analyses it gave rise to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass

from sqlalchemy import Connection, Row, RowMapping, insert, select, update

from wetread.domain import (
    AnalysisId,
    AnalysisState,
    ImageHeader,
    Instance,
    InstanceId,
    Lane,
    ModelId,
    SopInstanceUid,
    SpoolKey,
    StudyUid,
)
from wetread.ledger import tables
from wetread.ledger.store import Store, serialise


@dataclass(frozen=True, slots=True)
class Received:
    """One durable file and where it came from."""

    header: ImageHeader
    digest: str
    spool_key: SpoolKey
    size_bytes: int
    received_at: float
    calling_aet: str
    peer: str
    door: str


@dataclass(frozen=True, slots=True)
class Plan:
    """One model's verdict on one image: analyse it (`reason` empty) or decline with a reason."""

    model: ModelId
    lane: Lane
    reason: str = ""
    reason_text: str = ""


@dataclass(frozen=True, slots=True)
class Registered:
    """What `register` did. `planned` are the analyses to queue; empty for what was here before."""

    instance_id: InstanceId
    is_new: bool
    is_conflicting: bool
    planned: tuple[AnalysisId, ...] = ()


class Instances:
    """Rows of received SOP instances."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def register(self, received: Received, plans: Sequence[Plan]) -> Registered:
        """Record one instance, its study and its analyses in one transaction.

        The same UID and bytes again change nothing. The same UID with other bytes in the same study is
        kept and flagged, and is not analysed: the first one stands. In another study it is an image of its
        own: a PACS that moves an image keeps its UID, and that study waits for an answer too.
        """
        header = received.header
        with self._store.write() as connection:
            serialise(connection, header.StudyInstanceUID, header.SOPInstanceUID)
            twins = _twins(connection, header.SOPInstanceUID)
            for twin in twins:
                if twin.digest == received.digest:
                    return Registered(InstanceId(twin.id), is_new=False, is_conflicting=twin.is_conflicting)
            is_conflicting = any(twin.study_uid == header.StudyInstanceUID for twin in twins)
            _touch_study(connection, received, is_conflicting=is_conflicting)
            instance_id = _insert_instance(connection, received, is_conflicting=is_conflicting)
            planned = () if is_conflicting else _insert_analyses(connection, instance_id, received, plans)
            return Registered(instance_id, is_new=True, is_conflicting=is_conflicting, planned=planned)

    def is_result(self, uid: SopInstanceUid) -> bool:
        """Whether this UID is of an object that Wetread made: results routed back are not read again."""
        query = select(tables.objects.c.kind).where(tables.objects.c.sop_instance_uid == uid)
        with self._store.read() as connection:
            return connection.execute(query).first() is not None

    def get(self, instance_id: InstanceId) -> Instance:
        """One instance by row id."""
        query = select(tables.instances).where(tables.instances.c.id == instance_id)
        with self._store.read() as connection:
            return to_instance(connection.execute(query).mappings().one())

    def of_study(self, study: StudyUid) -> list[Instance]:
        """A study's instances in order of arrival, the conflicting ones included."""
        query = select(tables.instances).where(tables.instances.c.study_uid == study)
        with self._store.read() as connection:
            rows = connection.execute(query.order_by(tables.instances.c.id)).mappings()
            return [to_instance(row) for row in rows]


def to_instance(row: RowMapping) -> Instance:
    """A row as the noun."""
    return Instance(
        id=InstanceId(row["id"]),
        header=ImageHeader(**row["header"]),
        digest=row["digest"],
        spool_key=SpoolKey(row["spool_key"]),
        size_bytes=row["size_bytes"],
        received_at=row["received_at"],
        calling_aet=row["calling_aet"],
        is_conflicting=row["is_conflicting"],
    )


def _twins(connection: Connection, uid: SopInstanceUid) -> Sequence[Row[int, str, str, bool]]:
    column = tables.instances.c
    query = select(column.id, column.digest, column.study_uid, column.is_conflicting)
    return connection.execute(query.where(column.sop_instance_uid == uid)).all()


def _touch_study(connection: Connection, received: Received, *, is_conflicting: bool) -> None:
    header, at = received.header, received.received_at
    match = tables.studies.c.study_uid == header.StudyInstanceUID
    known = connection.execute(select(tables.studies.c.state).where(match).with_for_update()).first()
    if known is None:
        connection.execute(insert(tables.studies).values(_new_study(header, at)))
    elif not is_conflicting:
        change = {
            "state": "open",
            "last_image_at": at,
            "image_count": tables.studies.c.image_count + 1,
            "attempts": 0,
            "is_urgent": tables.studies.c.is_urgent | header.is_urgent,
        }
        connection.execute(update(tables.studies).where(match).values(change))


def _new_study(header: ImageHeader, at: float) -> dict[str, object]:
    return {
        "study_uid": header.StudyInstanceUID,
        "state": "open",
        "first_image_at": at,
        "last_image_at": at,
        "image_count": 1,
        "is_urgent": header.is_urgent,
        "patient_id": header.PatientID,
        "patient_name": header.PatientName,
        "patient_birth_date": header.PatientBirthDate,
        "patient_sex": header.PatientSex,
        "accession_number": header.AccessionNumber,
        "study_date": header.StudyDate,
        "study_time": header.StudyTime,
        "study_description": header.StudyDescription,
    }


def _insert_instance(connection: Connection, received: Received, *, is_conflicting: bool) -> InstanceId:
    values = {
        "sop_instance_uid": received.header.SOPInstanceUID,
        "digest": received.digest,
        "study_uid": received.header.StudyInstanceUID,
        "spool_key": received.spool_key,
        "size_bytes": received.size_bytes,
        "received_at": received.received_at,
        "calling_aet": received.calling_aet,
        "peer": received.peer,
        "door": received.door,
        "is_conflicting": is_conflicting,
        "header": asdict(received.header),
    }
    statement = insert(tables.instances).values(values).returning(tables.instances.c.id)
    return InstanceId(connection.execute(statement).scalar_one())


def _insert_analyses(
    connection: Connection, instance_id: InstanceId, received: Received, plans: Sequence[Plan]
) -> tuple[AnalysisId, ...]:
    planned: list[AnalysisId] = []
    for plan in plans:
        state = AnalysisState.DECLINED if plan.reason else AnalysisState.PENDING
        values = {
            "instance_id": instance_id,
            "study_uid": received.header.StudyInstanceUID,
            "model_name": plan.model.name,
            "model_version": plan.model.version,
            "model_digest": plan.model.digest,
            "state": state,
            "lane": plan.lane,
            "reason": plan.reason,
            "reason_text": plan.reason_text,
            "queued_at": received.received_at,
        }
        statement = insert(tables.analyses).values(values).returning(tables.analyses.c.id)
        analysis_id = connection.execute(statement).scalar_one()
        if state is AnalysisState.PENDING:
            planned.append(AnalysisId(analysis_id))
    return tuple(planned)
