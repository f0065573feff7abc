"""Who made an object, and what its UIDs are: derived from what it answers, never drawn.

The same inputs give the same UID on every machine, so a retry is the same object and a PACS that
gets it twice keeps one. Form: '2.25.' + a 128-bit integer (PS3.5 B.2), here of a SHA-256.
"""

from __future__ import annotations

import hashlib
from types import MappingProxyType
from typing import Final

from wetread.domain import SOFTWARE_VERSION, Analysis, Finding, ModelId, ObjectKind, SopInstanceUid, StudyUid
from wetread.report.results import ImageResult, Predecessor, StudyResult

MANUFACTURER: Final = "Wetread"
MODEL_NAME: Final = "Wetread"
SERIES_DESCRIPTION: Final = "AI result (Wetread), research use only"
SERIES_NUMBER: Final = MappingProxyType(
    {
        ObjectKind.STRUCTURED_REPORT: 9901,
        ObjectKind.CAPTURE: 9902,
        ObjectKind.COMPREHENSIVE_REPORT: 9903,
        ObjectKind.HEAT_MAP_CAPTURE: 9904,
        ObjectKind.PRESENTATION_STATE: 9905,
        ObjectKind.KEY_OBJECT: 9906,
        ObjectKind.HEAT_MAP: 9907,
    }
)


# Words that tell the plainer forms of an object from its full one.
PLAIN: Final = "plain"
CARD: Final = "card"


def derive_uid(*parts: str) -> str:
    """A UID that depends on every part, on their order and on where one ends."""
    text = "\x1f".join(("wetread", *parts))
    number = int.from_bytes(hashlib.sha256(text.encode()).digest()[:16], "big")
    return f"2.25.{number}"


OBSERVER_UID: Final = derive_uid("device observer", SOFTWARE_VERSION)


def series_uid(study: StudyUid, kind: ObjectKind) -> str:
    """The series of an object about a study: one per study and kind, over all revisions."""
    return derive_uid("series", study, kind.value)


def image_series_uid(kind: ObjectKind, image: ImageResult) -> str:
    """The series of an object about one image: one per study, kind, body part and side.

    Part and side belong to a series (PS3.3 C.7.3.1), and a study may show both hands, or a hand and a leg.
    """
    header = image.instance.header
    return derive_uid("series", header.StudyInstanceUID, kind.value, header.body_part, header.laterality)


def comprehensive_uid(uid: str) -> str:
    """The object UID of a report in its older form, from that of the Comprehensive 3D SR."""
    return derive_uid(ObjectKind.COMPREHENSIVE_REPORT.value, uid)


def device_uid(model: ModelId) -> str:
    """Identifies one trained network: a retraining has another digest and so another UID."""
    return derive_uid("device", model.name, model.version, model.digest)


def image_object_uid(kind: ObjectKind, image: ImageResult, *more: str) -> SopInstanceUid:
    """An object about one image: depends on the source's bytes, the models and the answer, not the revision.

    So a later revision that leaves this image's answer as it was makes no second capture. `more` tells
    apart several of one kind, and their forms.
    """
    return SopInstanceUid(derive_uid(kind.value, SOFTWARE_VERSION, *_of_image(image), *more))


def heat_map_uid(image: ImageResult, model: ModelId, finding: Finding) -> SopInstanceUid:
    """One of an image's heat maps: told apart by network and finding."""
    return image_object_uid(ObjectKind.HEAT_MAP, image, device_uid(model), finding.code.value)


def study_object_uid(kind: ObjectKind, result: StudyResult, *more: str) -> SopInstanceUid:
    """An object about a study revision: depends on it, on what it replaces, and on all that it is made of.

    That is every input's bytes, the models, the answers and this software. `more` tells apart its forms.
    """
    if kind is ObjectKind.COMPREHENSIVE_REPORT:
        report = study_object_uid(ObjectKind.STRUCTURED_REPORT, result, *more)
        return SopInstanceUid(comprehensive_uid(report))
    parts = [result.study, str(result.revision), *_of_predecessor(result.predecessor)]
    for image in result.images:
        parts += _of_image(image)
    return SopInstanceUid(derive_uid(kind.value, SOFTWARE_VERSION, *parts, *more))


def tracking_uid(image: ImageResult, *, what: str, model: ModelId | None, number: int) -> str:
    """Follows one region across revisions: its image, the finding, the network, its place in the list."""
    network = (model.name, model.version, model.digest) if model else ()
    header = image.instance.header
    return derive_uid("tracking", header.SOPInstanceUID, image.instance.digest, what, *network, str(number))


def _of_predecessor(earlier: Predecessor | None) -> tuple[str, ...]:
    """What a revision says of the report before it: which it was, its answer, its images."""
    return (earlier.SOPInstanceUID, earlier.answer, *sorted(earlier.images)) if earlier else ()


def _of_image(image: ImageResult) -> tuple[str, ...]:
    """The image, its bytes, and every analysis in an order that does not depend on how they were queued."""
    answers = sorted(_answer(analysis) for analysis in image.analyses)
    return (image.instance.header.SOPInstanceUID, image.instance.digest, *answers)


def _answer(analysis: Analysis) -> str:
    model = analysis.model
    findings = ";".join(_finding(finding) for finding in analysis.findings)
    reason = (analysis.reason, analysis.reason_text)
    return "|".join(
        (model.name, model.version, model.digest, analysis.state, *reason, analysis.provider, findings)
    )


def _finding(finding: Finding) -> str:
    boxes = (
        f"{b.left:.3f},{b.top:.3f},{b.right:.3f},{b.bottom:.3f},{b.probability:.6f}" for b in finding.boxes
    )
    points = f"{finding.operating_points.sensitive:.6f},{finding.operating_points.specific:.6f}"
    said = (finding.code.value, finding.label, f"{finding.probability:.6f}", finding.zone, points)
    return " ".join((*said, *boxes, finding.heat_map or ""))
