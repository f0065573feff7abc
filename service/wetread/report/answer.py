"""The answer in words, the same in report, capture, gate and page."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from wetread.domain import Analysis, AnalysisState, Finding, Outcome, Zone
from wetread.report.results import ImageResult, StudyResult

SAFETY_NOTE: Final = "AI result, research use only, not for primary diagnosis"


class Tone(StrEnum):
    """How an answer is coloured: the worst zone in it, or that there is none."""

    POSITIVE = "positive"
    DOUBTFUL = "doubtful"
    NEGATIVE = "negative"
    NOT_EVALUABLE = "not_evaluable"


@dataclass(frozen=True, slots=True)
class Answer:
    """`text` is the answer in one glance; `models` names what gave it, '' when nothing ran."""

    tone: Tone
    text: str
    models: str


@dataclass(frozen=True, slots=True)
class Reason:
    """Why there is no answer: a stable code, and words for people."""

    code: str
    text: str


def percent(probability: float) -> str:
    """A probability as people read it: whole percent, never a certain 0 or 100."""
    if probability < 0.005:
        return "<1 %"
    return ">99 %" if probability >= 0.995 else f"{int(100 * probability + 0.5)} %"


def done(image: ImageResult) -> tuple[Analysis, ...]:
    """The analyses that gave an answer."""
    return tuple(a for a in image.analyses if a.state is AnalysisState.DONE)


def failed(image: ImageResult) -> tuple[Analysis, ...]:
    """The analyses that were meant to run and gave none."""
    return tuple(a for a in image.analyses if a.state is AnalysisState.FAILED)


def findings_of(image: ImageResult) -> tuple[Finding, ...]:
    """All findings on one image, the worst first."""
    severity = {Zone.POSITIVE: 0, Zone.DOUBTFUL: 1, Zone.NEGATIVE: 2}
    found = [finding for analysis in done(image) for finding in analysis.findings]
    return tuple(sorted(found, key=lambda f: (severity[f.zone], -f.probability, f.code.value)))


def reason_of(image: ImageResult) -> Reason:
    """Why an image got no answer: the most telling reason of all."""
    for analysis in unread(image):
        return reason_given(analysis)
    return Reason("no_model", "no network reads this kind of image")


def unread(image: ImageResult) -> list[Analysis]:
    """What gave no answer, the most telling reason first.

    What failed comes before what was declined; that a network is made for another body part says least.
    """
    declined = [a for a in image.analyses if a.state is AnalysisState.DECLINED]
    return [*failed(image), *sorted(declined, key=lambda a: a.reason == "body_part_out_of_scope")]


def reason_given(analysis: Analysis) -> Reason:
    """Why one network gave no answer."""
    code = analysis.reason or "unknown"
    return Reason(code, analysis.reason_text.rstrip(". ") or code.replace("_", " "))


def image_answer(image: ImageResult) -> Answer:
    """What one image's capture says."""
    findings = findings_of(image)
    if not done(image):
        return Answer(Tone.NOT_EVALUABLE, f"NOT EVALUABLE: {reason_of(image).text}", "")
    missing = ", ".join(sorted({analysis.model.name for analysis in failed(image)}))
    text = findings_text(findings) + (f" ({missing} not evaluated)" if missing else "")
    return Answer(worst_tone(findings), text, models_text(done(image)))


def worst_tone(findings: tuple[Finding, ...]) -> Tone:
    """The tone of the worst zone."""
    zones = {finding.zone for finding in findings}
    for zone in (Zone.POSITIVE, Zone.DOUBTFUL):
        if zone in zones:
            return Tone(zone.value)
    return Tone.NEGATIVE


def findings_text(findings: tuple[Finding, ...]) -> str:
    """Findings that are not negative, or that there is none and how improbable each is."""
    said = [_said(finding) for finding in findings if finding.zone is not Zone.NEGATIVE]
    if said:
        return ", ".join(said)
    denied = ", ".join(f"{finding.label.lower()} {percent(finding.probability)}" for finding in findings)
    return f"NO FINDINGS: {denied}" if denied else "NO FINDINGS"


def models_text(analyses: tuple[Analysis, ...]) -> str:
    """The networks by name and version, in one order."""
    names = sorted({f"{analysis.model.name} {analysis.model.version}" for analysis in analyses})
    return ", ".join(names)


def study_answer(result: StudyResult) -> Answer:
    """The study's answer over all its images: each concept once, where it is most probable."""
    evaluated = [image for image in result.images if done(image)]
    if result.outcome is Outcome.NOT_EVALUABLE or not evaluated:
        reasons = ", ".join(dict.fromkeys(reason_of(image).text for image in result.images))
        return Answer(Tone.NOT_EVALUABLE, f"NOT EVALUABLE: {reasons}", "")
    worst: dict[str, Finding] = {}
    for finding in sorted(
        (f for image in evaluated for f in findings_of(image)), key=lambda f: f.probability
    ):
        worst[finding.code.value] = finding
    findings = tuple(sorted(worst.values(), key=lambda f: -f.probability))
    models = models_text(tuple(a for image in evaluated for a in done(image)))
    text = findings_text(findings)
    # A "no findings" over two views must not be read off one of them.
    if unevaluated := len(result.images) - len(evaluated):
        text += f" ({unevaluated} of {len(result.images)} images not evaluated)"
    return Answer(worst_tone(findings), text, models)


def _said(finding: Finding) -> str:
    verb = "SUSPECTED" if finding.zone is Zone.POSITIVE else "POSSIBLE"
    return f"{finding.label.upper()} {verb} {percent(finding.probability)}"
