"""What the ledger's tests put in: instances, plans and a concluded revision, small and valid."""

from __future__ import annotations

import hashlib

from tests.builders import small_film, to_dataset, uid_of
from wetread.domain import (
    AnalysisId,
    Code,
    Destination,
    Finding,
    ImageHeader,
    Lane,
    ModelId,
    ObjectKind,
    OperatingPoints,
    Outcome,
    Report,
    ResultObject,
    SopInstanceUid,
    SpoolKey,
    StudyUid,
    Zone,
)
from wetread.ledger import Lease, Ledger
from wetread.ledger.instances import Plan, Received, Registered
from wetread.route.header import read_header

FRACTURE = ModelId("fracture", "1.0.0", "f" * 64)
PNEUMONIA = ModelId("pneumonia", "1.0.0", "e" * 64)
PACS = Destination("pacs", "dicom", "127.0.0.1", 104, "PACS")
FINDING = Finding(
    code=Code("125605004", "SCT", "Fracture of bone"),
    label="Fracture",
    probability=0.9,
    zone=Zone.POSITIVE,
    operating_points=OperatingPoints(0.2, 0.6),
)


def header_of(name: str, study: str = "") -> ImageHeader:
    """The header of a small film of this name."""
    film = small_film(name, rows=8, columns=8, study=study)
    return read_header(to_dataset(film), transfer_syntax_uid="1.2.840.10008.1.2.1")


def received(name: str, *, study: str = "", content: str = "", at: float = 100.0) -> Received:
    """An instance whose bytes follow from its name, or from `content`."""
    digest = hashlib.sha256((content or name).encode()).hexdigest()
    key = SpoolKey(f"{digest[:2]}/{digest}.dcm")
    header = header_of(name, study)
    return Received(header, digest, key, 1000, at, calling_aet="MODALITY", peer="127.0.0.1", door="dicom")


def register(
    ledger: Ledger,
    name: str,
    *,
    study: str = "",
    content: str = "",
    at: float = 100.0,
    lane: Lane = Lane.ROUTINE,
) -> Registered:
    """Register an instance with one analysis planned."""
    return ledger.instances.register(
        received(name, study=study, content=content, at=at), [Plan(FRACTURE, lane)]
    )


def study_of(name: str) -> StudyUid:
    """The study of films built under this name."""
    return StudyUid(uid_of("study", name))


def lease(now: float, *, holder: str = "worker", length_s: float = 60.0) -> Lease:
    """A minute for `holder`."""
    return Lease(holder, now, length_s)


def finish_all(ledger: Ledger, *, now: float = 101.0) -> list[AnalysisId]:
    """Claim and finish everything that waits, with one finding each."""
    done: list[AnalysisId] = []
    while analysis := ledger.analyses.claim_next(lease(now)):
        ledger.analyses.finish(analysis.id, [FINDING], provider="CPUExecutionProvider", now=now)
        done.append(analysis.id)
    return done


def result(name: str, kind: ObjectKind = ObjectKind.STRUCTURED_REPORT) -> ResultObject:
    """A result object of ours."""
    digest = hashlib.sha256(name.encode()).hexdigest()
    return ResultObject(
        SOPInstanceUID=SopInstanceUid(uid_of("result", name)),
        SOPClassUID="1.2.840.10008.5.1.4.1.1.88.34",
        SeriesInstanceUID=uid_of("result series", name),
        kind=kind,
        spool_key=SpoolKey(f"{digest[:2]}/{digest}.dcm"),
        size_bytes=10,
    )


def report(study: StudyUid, revision: int, *objects: ResultObject, at: float = 110.0) -> Report:
    """A revision with these objects."""
    return Report(study, revision, Outcome.FINDINGS, at, objects)
