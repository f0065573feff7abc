"""What the demo prints."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from wetread.demo.answers import Answer
from wetread.demo.cases import Case
from wetread.demo.service import Service
from wetread.domain import Outcome, Zone

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
        for refusal in answer.refused:
            print(f"    {'REFUSED':<14} {refusal}", flush=True)
        if answer.is_refused:
            return
        is_doubtful = answer.outcome == Outcome.FINDINGS and answer.worst_zone == Zone.DOUBTFUL
        outcome = "DOUBTFUL" if is_doubtful else _OUTCOMES[answer.outcome]
        print(f"    {outcome:<14} {'; '.join(answer.findings)}".rstrip())
        if answer.case.truth:
            print(f"    {'drawn as':<14} {answer.case.truth}")
        if answer.took_ms is not None:
            print(f"    {'in the PACS':<14} {_objects(answer)}, {answer.took_ms:,.0f} ms after the last byte")
        for picture in answer.pictures:
            print(f"    {'picture':<14} {picture}", flush=True)

    def summary(self, answers: Sequence[Answer], *, quiet_s: float, folder: Path) -> None:
        """How many were answered, how fast, and where to look."""
        times = sorted(answer.took_ms for answer in answers if answer.took_ms is not None)
        print(f"\n{_counts(answers)}", end="")
        if times:
            middle = times[len(times) // 2] - 1000 * quiet_s
            print(f"; last byte to report in the PACS: median {middle:,.0f} ms", end="")
            print(f" + {1000 * quiet_s:,.0f} ms in which the study has to stay quiet", end="")
        print(f"\npictures and DICOM objects: {folder}", flush=True)

    def skipped(self, count: int) -> None:
        """Files that are not sent."""
        if count:
            files = "1 file" if count == 1 else f"{count} files"
            print(f"{files} skipped: not DICOM or no study UID", flush=True)

    def kept(self, service: Service) -> None:
        """Where the running service is found."""
        key = service.home / "admin.key"
        print(f"\nstill running: {service.url}  (log in with the key in {key})")
        print(f"DICOM listener: WETREAD@127.0.0.1:{service.dicom_port}.  Ctrl-C stops it.", flush=True)


def _counts(answers: Sequence[Answer]) -> str:
    answered = sum(answer.is_answered for answer in answers)
    refused = [answer for answer in answers if answer.is_refused]
    silent = len(answers) - answered - len(refused)
    text = f"{answered} of {len(answers)} studies answered"
    if refused:
        why = dict.fromkeys(str(refusal) for answer in refused for refusal in answer.refused)
        text += f", {len(refused)} refused ({'; '.join(why)})"
    return f"{text}, {silent} without an answer" if silent else text


def _objects(answer: Answer) -> str:
    captures = "1 capture" if answer.captures == 1 else f"{answer.captures} captures"
    return f"Structured Report, {captures}" if answer.reports else captures
