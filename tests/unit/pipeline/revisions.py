"""Studies brought to the last step: images admitted, read or not, and concluded for some destinations."""

from __future__ import annotations

import time
from io import BytesIO

import numpy as np
import pydicom
from pydicom.dataset import Dataset

from tests.builders import Film, small_film, to_bytes, to_dataset
from tests.unit.pipeline.parts import FROM_MODALITY, FirstStep
from wetread.domain import (
    AnalysisState,
    Box,
    Code,
    Destination,
    Finding,
    ObjectKind,
    OperatingPoints,
    Profile,
    Report,
    SpoolKey,
    StudyUid,
    Zone,
)
from wetread.ledger import Lease
from wetread.ledger.studies import Claim
from wetread.pipeline.conclude import Concluder

EVERYTHING = Destination("research", "dicom", objects=Profile.EVERYTHING.kinds)
OLD_PACS = Destination("old", "dicom", objects=(ObjectKind.CAPTURE, ObjectKind.COMPREHENSIVE_REPORT))


def admit(step: FirstStep, name: str, *, study: str = "both", **more: object) -> StudyUid:
    """One small radiograph of a hand comes in."""
    film: Film = small_film(name, rows=300, columns=240, study=study, more=more)
    data = to_bytes(to_dataset(film))
    return StudyUid(step.admitter.receive_file(data, source=FROM_MODALITY).header.StudyInstanceUID)


def read_all(step: FirstStep, study: StudyUid, probability: float = 0.9, *, right: float = 150) -> None:
    """End every planned analysis with one finding of this probability, its box (to `right`), its heat map."""
    zone = OperatingPoints(0.2, 0.6).zone(probability)
    boxes = () if zone is Zone.NEGATIVE else (Box(60, 80, right, 190, probability),)
    code = Code("125605004", "SCT", "Fracture of bone")
    finding = Finding(
        code, "Fracture", probability, zone, OperatingPoints(0.2, 0.6), boxes, keep_heat_map(step)
    )
    for analyses in step.ledger.analyses.of_study(study).values():
        for analysis in analyses:
            if analysis.state is AnalysisState.PENDING:
                step.ledger.analyses.finish(analysis.id, [finding], provider="CPU", now=time.time())


def keep_heat_map(step: FirstStep) -> SpoolKey:
    """A heat map with one warm corner."""
    heat = np.zeros((10, 8), np.float16)
    heat[3:6, 2:5] = 1.0
    buffer = BytesIO()
    np.save(buffer, heat, allow_pickle=False)
    return step.spool.put([buffer.getvalue()], suffix="npy")


def concluder(step: FirstStep, *destinations: Destination) -> Concluder:
    """The last step for these destinations."""
    return Concluder(ledger=step.ledger, spool=step.spool, destinations=destinations, max_side=1024)


def claim(step: FirstStep) -> Claim:
    """The study that is due."""
    found = step.ledger.studies.claim_due(Lease("test", time.time() + 60, 1.0), quiet_s=0)
    assert found is not None
    return found


def conclude(step: FirstStep, *destinations: Destination) -> Report:
    """Conclude the study that is due; its new revision."""
    claimed = claim(step)
    assert concluder(step, *destinations).conclude(claimed)
    return step.ledger.reports.revisions(claimed.study)[-1]


def of_kind(report: Report, kind: ObjectKind) -> list[str]:
    """The UIDs of a revision's objects of one kind."""
    return [item.SOPInstanceUID for item in report.objects if item.kind is kind]


def read_object(step: FirstStep, report: Report, kind: ObjectKind) -> Dataset:
    """The revision's only object of this kind, read back."""
    [item] = [item for item in report.objects if item.kind is kind]
    return pydicom.dcmread(BytesIO(step.spool.read(item.spool_key)))
