"""What came back for one study: from the ledger what was said, from the PACS what it holds."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np
import pydicom

from wetread.demo.cases import Case
from wetread.domain import Analysis, AnalysisState, StudyUid
from wetread.ledger import Ledger
from wetread.receive.standin import StandIn, Stored

_SECONDARY_CAPTURE = "1.2.840.10008.5.1.4.1.1.7"
_STRUCTURED_REPORT = "1.2.840.10008.5.1.4.1.1.88.34"


@dataclass(frozen=True, slots=True)
class Answer:
    """One study's answer. `took_ms`: last byte sent to the report stored in the PACS, quiet time included."""

    case: Case
    refused: tuple[str, ...]
    outcome: str = ""
    findings: tuple[str, ...] = ()
    took_ms: float | None = None
    reports: int = 0
    captures: int = 0
    pictures: tuple[Path, ...] = ()

    @property
    def is_answered(self) -> bool:
        """A report lies in the PACS, or every file was refused with a status."""
        return self.reports > 0 or len(self.refused) == len(self.case.files)


def gather(answer: Answer, sent_at: float, *, pacs: StandIn, ledger: Ledger) -> Answer:
    """Read ledger and PACS; save the captures as PNG beside the PACS's folder."""
    study = StudyUid(answer.case.study)
    line = ledger.views.study(study)
    stored = pacs.of_study(study)
    reports = [item for item in stored if item.SOPClassUID == _STRUCTURED_REPORT]
    captures = [item for item in stored if item.SOPClassUID == _SECONDARY_CAPTURE]
    analyses = [analysis for found in ledger.analyses.of_study(study).values() for analysis in found]
    return replace(
        answer,
        outcome=line.outcome if line else "",
        findings=tuple(dict.fromkeys(text for analysis in analyses for text in _say(analysis, analyses))),
        took_ms=1000 * (reports[0].at - sent_at) if reports else None,
        reports=len(reports),
        captures=len(captures),
        pictures=tuple(_save_picture(item, pacs.folder.parent / "pictures") for item in captures),
    )


def _say(analysis: Analysis, all_analyses: list[Analysis]) -> list[str]:
    if analysis.findings:
        return [
            f"{finding.label} {100 * finding.probability:.0f} % ({finding.zone})"
            for finding in analysis.findings
        ]
    # A model that declined is only worth a line when no model read the study.
    is_read = any(other.state is AnalysisState.DONE for other in all_analyses)
    return [] if is_read else [analysis.reason_text]


def _save_picture(item: Stored, folder: Path) -> Path:
    folder.mkdir(exist_ok=True)
    path = folder / f"{item.path.stem}.png"
    pixels: np.ndarray[tuple[int, ...], np.dtype[np.uint8]] = pydicom.dcmread(item.path).pixel_array
    cv2.imwrite(str(path), cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR))
    return path
