"""What the demo prints."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from wetread.demo.answers import Answer
from wetread.demo.cases import Case
from wetread.demo.service import Service

_OUTCOMES = {
    "findings": "FINDINGS",
    "no_findings": "NO FINDINGS",
    "not_evaluable": "NOT EVALUABLE",
    "": "NO ANSWER",
}


class Page:
    """Prints progress as it happens, and a summary."""

    def title(self) -> None:
        """Name, purpose and the safety line."""
        print("Wetread demo: radiographs in over DICOM, answers back to the PACS")
        print("AI result, research use only, not for primary diagnosis\n")

    def says(self, text: str) -> None:
        """One line of progress."""
        print(text, flush=True)

    def sending(self, case: Case) -> None:
        """A study is on its way."""
        images = "1 image" if len(case.files) == 1 else f"{len(case.files)} images"
        print(f"\n  {case.title}  ({images})", flush=True)

    def answered(self, answer: Answer) -> None:
        """A study's answer, a few lines."""
        for status in answer.refused:
            print(f"    refused by the listener: {status}")
        if len(answer.refused) == len(answer.case.files):
            return
        print(f"    {_OUTCOMES[answer.outcome]:<14} {'; '.join(answer.findings)}")
        if answer.case.truth:
            print(f"    {'drawn as':<14} {answer.case.truth}")
        if answer.took_ms is not None:
            print(f"    {'in the PACS':<14} {_objects(answer)}, {answer.took_ms:,.0f} ms after the last byte")
        for picture in answer.pictures:
            print(f"    {'picture':<14} {picture}", flush=True)

    def summary(self, answers: Sequence[Answer], *, quiet_s: float, folder: Path) -> None:
        """How many were answered, how fast, and where to look."""
        times = sorted(answer.took_ms for answer in answers if answer.took_ms is not None)
        answered = sum(answer.is_answered for answer in answers)
        print(f"\n{answered} of {len(answers)} studies answered", end="")
        if times:
            middle = times[len(times) // 2] - 1000 * quiet_s
            print(f"; last byte to report in the PACS: median {middle:,.0f} ms", end="")
            print(f" + {1000 * quiet_s:,.0f} ms in which the study has to stay quiet", end="")
        print(f"\npictures and DICOM objects: {folder}", flush=True)

    def kept(self, service: Service) -> None:
        """Where the running service is found."""
        key = service.home / "admin.key"
        print(f"\nstill running: {service.url}  (log in with the key in {key})")
        print(f"DICOM listener: WETREAD@127.0.0.1:{service.dicom_port}.  Ctrl-C stops it.", flush=True)


def _objects(answer: Answer) -> str:
    captures = "1 capture" if answer.captures == 1 else f"{answer.captures} captures"
    return f"Structured Report, {captures}" if answer.reports else captures
