"""What came back for one study: from the ledger what was said, from the PACS what it holds."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np
import pydicom

from wetread.deliver.send import Sent
from wetread.demo.cases import Case
from wetread.domain import Analysis, AnalysisState, StudyUid
from wetread.ledger import Ledger
from wetread.receive.standin import StandIn, Stored
from wetread.report.answer import percent_text, reason_given

_SECONDARY_CAPTURE = "1.2.840.10008.5.1.4.1.1.7"
_STRUCTURED_REPORT = "1.2.840.10008.5.1.4.1.1.88.34"


@dataclass(frozen=True, slots=True)
class Refusal:
    """A file that was not taken: the status, and the quarantine's reason as `code: words`, '' when none."""

    status: str
    reason: str = ""

    def __str__(self) -> str:
        return f"{self.status} {self.reason}".rstrip()


@dataclass(slots=True)
class RefusalReader:
    """Reads the quarantine on from where it was."""

    ledger: Ledger
    after: int = 0

    def refusal(self, sent: Sent) -> Refusal:
        """Why this file was refused; to be called before the next one is sent."""
        entries = self.ledger.quarantine.page(after=self.after)
        if not entries:
            return Refusal(sent.status, sent.meaning)
        self.after = entries[-1].id
        return Refusal(sent.status, f"{entries[-1].reason}: {entries[-1].reason_text}")


@dataclass(frozen=True, slots=True)
class Answer:
    """One study's answer. `took_ms`: last byte sent to the report stored in the PACS, quiet time included."""

    case: Case
    refused: tuple[Refusal, ...]
    outcome: str = ""
    worst_zone: str = ""
    findings: tuple[str, ...] = ()
    took_ms: float | None = None
    reports: int = 0
    captures: int = 0
    pictures: tuple[Path, ...] = ()

    @property
    def is_answered(self) -> bool:
        """A report lies in the PACS."""
        return self.reports > 0

    @property
    def is_refused(self) -> bool:
        """No file of the study was taken."""
        return len(self.refused) == len(self.case.files)


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
        worst_zone=line.worst_zone if line else "",
        findings=tuple(dict.fromkeys(_say(analyses))),
        took_ms=1000 * (reports[0].at - sent_at) if reports else None,
        reports=len(reports),
        captures=len(captures),
        pictures=tuple(_save_picture(item, pacs.folder.parent / "pictures") for item in captures),
    )


def _say(analyses: list[Analysis]) -> list[str]:
    if any(analysis.state is AnalysisState.DONE for analysis in analyses):
        return [
            f"{finding.label} {percent_text(finding)} ({finding.zone})"
            for analysis in analyses
            for finding in analysis.findings
        ]
    # Nothing read the study: the most telling reason, in the report's own order (`answer.unread`).
    telling = sorted(
        analyses,
        key=lambda a: (a.state is not AnalysisState.FAILED, a.reason == "body_part_out_of_scope"),
    )
    return [reason_given(analysis).text for analysis in telling[:1]]


def _save_picture(item: Stored, folder: Path) -> Path:
    folder.mkdir(exist_ok=True)
    path = folder / f"{item.path.stem}.png"
    pixels: np.ndarray[tuple[int, ...], np.dtype[np.uint8]] = pydicom.dcmread(item.path).pixel_array
    cv2.imwrite(str(path), cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR))
    return path
