"""How the pages say things: to an ED physician at a glance, to a radiologist exactly."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Final, NamedTuple

from wetread.api.schemas import AnalysisOut, DeliveryOut, ImageOut, ModelOut, StudyLineOut
from wetread.domain import OUTSIDE_HOURS, AnalysisState, DeliveryState, ObjectKind, Outcome, Zone

_UNITS_S: Final = ((86400, "d"), (3600, "h"), (60, "min"))


class Tag(NamedTuple):
    """A coloured word with an icon: colour never stands alone. `tone` names both in the style sheet."""

    tone: str
    word: str


class Why(NamedTuple):
    """Why images were not read, as a sentence, and the models that say so."""

    models: str
    text: str


_ZONES: Final = {
    Zone.POSITIVE: Tag("positive", "Positive"),
    Zone.DOUBTFUL: Tag("doubtful", "Doubtful"),
    Zone.NEGATIVE: Tag("negative", "Negative"),
}
_SENT: Final = (DeliveryState.SENT, DeliveryState.COMMITTED)
# PS3.4 table B.2-1: stored, but with elements changed, discarded, or not as the SOP class asks.
_WARNING: Final = "0xB"
_DELIVERIES: Final = {
    DeliveryState.PENDING: Tag("waiting", "Waiting"),
    DeliveryState.SENT: Tag("done", "Delivered"),
    DeliveryState.COMMITTED: Tag("done", "Committed"),
    DeliveryState.DEGRADED: Tag("info", "Plainer form"),
    DeliveryState.REFUSED: Tag("refused", "Refused"),
}
_STEPS: Final = {
    "received": "Image received",
    "admitted": "Admitted",
    "analyse.decode": "Pixels decoded",
    "analyse.picture": "Picture checked",
    "analyse.prepare": "Prepared",
    "analyse.infer": "Network ran",
    "conclude": "Revision complete",
    "conclude.sr": "Structured Report written",
    "conclude.sr-comprehensive": "Comprehensive report written",
    "conclude.capture": "Capture written",
    "conclude.heat-map-capture": "Heat map capture written",
    "conclude.gsps": "Presentation state written",
    "conclude.ko": "Key objects written",
    "conclude.heat-map": "Heat map written",
    "conclude.keep": "Object written to disk",
    "gate": "Objects checked",
    "delivered": "Delivered",
}
# Reasons that say there is no single grey picture to show (wetread.route.rules).
_NO_FILM: Final = ("colour", "multi_frame")
_KINDS: Final = {
    ObjectKind.STRUCTURED_REPORT: "Structured Report",
    ObjectKind.COMPREHENSIVE_REPORT: "Structured Report (Comprehensive)",
    ObjectKind.CAPTURE: "Overlay capture",
    ObjectKind.HEAT_MAP_CAPTURE: "Heat map capture",
    ObjectKind.PRESENTATION_STATE: "Presentation state",
    ObjectKind.KEY_OBJECT: "Key object selection",
    ObjectKind.HEAT_MAP: "Heat map (Parametric Map)",
}
_ROLES: Final = {
    "listen": "DICOM listener",
    "analyse": "Model worker",
    "publish": "Publisher",
    "api": "HTTP door",
}


def zone_tag(zone: Zone) -> Tag:
    """A finding's zone."""
    return _ZONES[zone]


def case_tag(line: StudyLineOut) -> Tag:
    """A study's answer in one word."""
    if line.outcome is None:
        return Tag("refused", "Held back") if line.problem else Tag("waiting", "Being read")
    if line.outcome is Outcome.NOT_EVALUABLE:
        return Tag("unread", "Not evaluable")
    return Tag("negative", "No findings") if line.zone in (None, Zone.NEGATIVE) else _ZONES[line.zone]


def headline(line: StudyLineOut) -> str:
    """The answer in a sentence."""
    if line.outcome is None:
        return "The answer is held back." if line.problem else "The images are being read."
    if line.outcome is Outcome.NOT_EVALUABLE:
        return "No model could read this study."
    said = [
        f"{_concept(finding.label)} {'suspected' if finding.zone is Zone.POSITIVE else 'possible'}"
        for finding in line.findings
        if finding.zone is not Zone.NEGATIVE
    ]
    answer = _capitalised(", ".join(said)) if said else "Nothing suspicious found"
    unread = line.unread_image_count
    return f"{answer}; {unread} of {line.image_count} images not evaluated." if unread else f"{answer}."


def delivery_tag(delivery: DeliveryOut) -> Tag:
    """A delivery's state; waiting after a failed try is another thing than waiting for the first."""
    if delivery.state is DeliveryState.PENDING and _has_failed(delivery):
        return Tag("retrying", "Retrying")
    if delivery.state in _SENT and delivery.last_status.startswith(_WARNING):
        return Tag("done", f"{_DELIVERIES[delivery.state].word}, with a warning")
    return _DELIVERIES[delivery.state]


def _has_failed(delivery: DeliveryOut) -> bool:
    return bool(delivery.last_error) and delivery.last_status != OUTSIDE_HOURS


def delivery_summary(deliveries: Sequence[DeliveryOut]) -> Tag | None:
    """A study's deliveries in one word; None when nothing is owed."""
    if not deliveries:
        return None
    if any(delivery.state is DeliveryState.REFUSED for delivery in deliveries):
        return Tag("refused", "Refused")
    # What is not taken is not owed: something plainer goes in its place and counts instead.
    owed = [delivery for delivery in deliveries if delivery.state is not DeliveryState.DEGRADED]
    sent = sum(delivery.state in _SENT for delivery in owed)
    if sent == len(owed):
        return Tag("done", "Delivered")
    tone = "retrying" if any(map(_has_failed, owed)) else "waiting"
    return Tag(tone, f"{sent} of {len(owed)} sent")


def verdict(analysis: AnalysisOut) -> str:
    """Why an analysis has no findings, as a sentence."""
    if analysis.reason is None:
        return "Waiting for this model."
    text = analysis.reason.text or analysis.reason.code.replace("_", " ")
    return _capitalised(text.rstrip(".")) + "."


def reasons(images: Iterable[ImageOut]) -> list[Why]:
    """Why images were not read, each reason once, the most telling first.

    As the report orders them (`wetread.report.answer.unread`): what failed comes before what was declined;
    that a model is made for another body part says least.
    """
    ended = (AnalysisState.DECLINED, AnalysisState.FAILED)
    unread = [a for image in images for a in image.analyses if a.state in ended]
    models: dict[str, list[str]] = {}
    for analysis in sorted(unread, key=_tells_little):
        models.setdefault(verdict(analysis), []).append(analysis.model.name)
    return [Why(", ".join(dict.fromkeys(names)), text) for text, names in models.items()]


def person(name: str) -> str:
    """A DICOM person name as people write it: family, given (PS3.5 6.2.1)."""
    written = name.split("=")[0].split("^")
    family, given = written[0].strip(), " ".join(part.strip() for part in written[1:3] if part.strip())
    return ", ".join(part for part in (family, given) if part) or "Name not stated"


def date(value: str) -> str:
    """A DICOM date as ISO 8601; what is no date stands as it is."""
    return f"{value[:4]}-{value[4:6]}-{value[6:]}" if len(value) == 8 and value.isdecimal() else value


def time_of_day(value: str) -> str:
    """A DICOM time to the minute; what is no time stands as it is."""
    return f"{value[:2]}:{value[2:4]}" if len(value) >= 4 and value[:4].isdecimal() else value


def clock(at: datetime) -> str:
    """Local time of day, to the second."""
    return at.astimezone().strftime("%H:%M:%S")


def moment(at: datetime) -> str:
    """Local date and time, to the minute."""
    return at.astimezone().strftime("%Y-%m-%d %H:%M")


def arrival(at: datetime, now: datetime) -> str:
    """Local time of day; with its date when that is another day."""
    there, here = at.astimezone(), now.astimezone()
    return there.strftime("%H:%M" if there.date() == here.date() else "%Y-%m-%d %H:%M")


def since(at: datetime, now: datetime) -> str:
    """How long ago, in the largest unit that fits."""
    seconds = max(0, int((now - at).total_seconds()))
    for unit_s, word in _UNITS_S:
        if seconds >= unit_s:
            return f"{seconds // unit_s} {word}"
    return f"{seconds} s"


def duration(ms: float) -> str:
    """Milliseconds, or seconds where that reads better."""
    if ms < 0.05:
        return "0 ms"
    if ms < 10:
        return f"{ms:.1f} ms"
    return f"{ms:.0f} ms" if ms < 1000 else f"{ms / 1000:.2f} s"


def size(count: int) -> str:
    """Bytes in the unit that reads best."""
    for unit, factor in (("GB", 10**9), ("MB", 10**6), ("kB", 10**3)):
        if count >= factor:
            return f"{count / factor:.1f} {unit}"
    return f"{count} B"


def step(name: str) -> str:
    """A step of the road in words."""
    return _STEPS.get(name, name)


def kind(value: ObjectKind) -> str:
    """What a result object is."""
    return _KINDS[value]


def role(value: str) -> str:
    """What a part of the service does."""
    return _ROLES.get(value, value)


def image_title(image: ImageOut) -> str:
    """What an image shows: body part, side, view."""
    side = {"L": "left", "R": "right", "B": "both sides"}.get(image.laterality, "")
    words = [image.body_part.capitalize() or image.modality, side, image.view]
    return " ".join(word for word in words if word) or "Image"


def ages(model: ModelOut) -> str:
    """Which ages a model reads."""
    least, most = model.least_age_years, model.most_age_years
    told = [f"from {least:g}" if least is not None else "", f"up to {most:g}" if most is not None else ""]
    limits = " ".join(part for part in told if part)
    return f"{limits} years" if limits else "any"


def can_show(image: ImageOut) -> bool:
    """Whether it is worth asking for its picture."""
    has_broken_pixels = any(a.state is AnalysisState.FAILED and not _is_of_picture(a) for a in image.analyses)
    is_no_film = any(a.reason is not None and a.reason.code in _NO_FILM for a in image.analyses)
    return not (image.is_conflicting or has_broken_pixels or is_no_film) and image.rows > 0


def is_read(image: ImageOut) -> bool:
    """Whether any model has answered on it."""
    return any(analysis.findings for analysis in image.analyses)


def has_heat_map(image: ImageOut) -> bool:
    """Whether any model left evidence on it."""
    return any(finding.has_heat_map for analysis in image.analyses for finding in analysis.findings)


def alarm(image: ImageOut) -> float:
    """The highest probability found on an image; -1 where nothing read it."""
    return max((f.probability for analysis in image.analyses for f in analysis.findings), default=-1.0)


def _is_of_picture(analysis: AnalysisOut) -> bool:
    """Whether the guard turned a picture away: it was decoded, so it can be shown."""
    return analysis.reason is not None and analysis.reason.code.startswith("picture_")


def _tells_little(analysis: AnalysisOut) -> tuple[bool, bool]:
    """Sorts reasons: a failure, then a refusal, then that the model is made for another body part."""
    is_declined = analysis.state is AnalysisState.DECLINED
    code = analysis.reason.code if analysis.reason else ""
    return is_declined, is_declined and code == "body_part_out_of_scope"


def _concept(label: str) -> str:
    """A label that says "suspected" itself would have it said twice."""
    return label.lower().removeprefix("suspected ")


def _capitalised(text: str) -> str:
    return text[:1].upper() + text[1:]
