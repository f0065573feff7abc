"""The answer in words, the same in report, capture, gate and page."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from wetread.domain import Analysis, AnalysisState, Code, Finding, Outcome, Zone
from wetread.report.results import ImageResult, StudyResult

SAFETY_NOTE: Final = "AI result, research use only, not for primary diagnosis"

_SEVERITY: Final = MappingProxyType({Zone.POSITIVE: 0, Zone.DOUBTFUL: 1, Zone.NEGATIVE: 2})
# Decimals of a percentage, at most: what fits in a decimal string (PS3.5 table 6.2-1).
_FINEST: Final = 10


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


def percent_of(finding: Finding, *, digits: int) -> float:
    """In percent with so many decimals, and with more where rounding would show it in another zone.

    Never a certain 0 or 100: a calibrated probability is neither.
    """
    exact = 100 * finding.probability
    for places in range(digits, _FINEST):
        least = 10.0**-places
        value = round(min(max(exact, least), 100 - least), places)
        if finding.operating_points.zone(value / 100) is finding.zone:
            return value
    return round(exact, _FINEST)


def percent_text(finding: Finding) -> str:
    """The same as people read it."""
    if finding.probability < 0.005 or finding.probability >= 0.995:
        return percent(finding.probability)
    return f"{percent_of(finding, digits=0):.{_FINEST}g} %"


def image_name(image: ImageResult, number: int) -> str:
    """What a reader finds an image by: its place among the study's, and its view where the header says it."""
    view = image.instance.header.view
    return f"Image {number} ({view})" if view else f"Image {number}"


def done(image: ImageResult) -> tuple[Analysis, ...]:
    """The analyses that gave an answer."""
    return tuple(a for a in image.analyses if a.state is AnalysisState.DONE)


def failed(image: ImageResult) -> tuple[Analysis, ...]:
    """The analyses that were meant to run and gave none."""
    return tuple(a for a in image.analyses if a.state is AnalysisState.FAILED)


def findings_of(image: ImageResult) -> tuple[Finding, ...]:
    """All findings on one image, the worst first."""
    found = [finding for analysis in done(image) for finding in analysis.findings]
    return tuple(sorted(found, key=_rank))


def _rank(finding: Finding) -> tuple[int, float, str]:
    """Sorts the worst first: by zone, for two networks of one concept have their own operating points."""
    return _SEVERITY[finding.zone], -finding.probability, finding.code.value


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
    denied = ", ".join(f"{finding.label.lower()} {percent_text(finding)}" for finding in findings)
    return f"NO FINDINGS: {denied}" if denied else "NO FINDINGS"


def models_text(analyses: tuple[Analysis, ...]) -> str:
    """The networks by name and version, in one order."""
    names = sorted({f"{analysis.model.name} {analysis.model.version}" for analysis in analyses})
    return ", ".join(names)


def study_answer(result: StudyResult) -> Answer:
    """The study's answer over all its images: each concept once, where it is worst, and what is missing."""
    evaluated = [image for image in result.images if done(image)]
    if result.outcome is Outcome.NOT_EVALUABLE or not evaluated:
        reasons = ", ".join(dict.fromkeys(reason_of(image).text for image in result.images))
        return Answer(Tone.NOT_EVALUABLE, f"NOT EVALUABLE: {reasons}", "")
    worst: dict[Code, Finding] = {}
    for finding in sorted((f for image in evaluated for f in findings_of(image)), key=_rank):
        worst.setdefault(finding.code, finding)
    findings = tuple(worst.values())
    models = models_text(tuple(a for image in evaluated for a in done(image)))
    missing = "; ".join(_missing(result))
    text = findings_text(findings) + (f" ({missing})" if missing else "")
    return Answer(worst_tone(findings), text, models)


def _missing(result: StudyResult) -> Iterator[str]:
    """What a "no findings" must not be read as speaking of: networks that failed, images not read."""
    count = len(result.images)
    failures = Counter(
        name for image in result.images if done(image) for name in {a.model.name for a in failed(image)}
    )
    for name, times in sorted(failures.items()):
        yield f"{name} not evaluated" + (f" on {times} of {count} images" if count > 1 else "")
    if unread_count := sum(not done(image) for image in result.images):
        yield f"{unread_count} of {count} images not evaluated"


def _said(finding: Finding) -> str:
    verb = "SUSPECTED" if finding.zone is Zone.POSITIVE else "POSSIBLE"
    return f"{finding.label.upper()} {verb} {percent_text(finding)}"
