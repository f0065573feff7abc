"""The groups of a report's body: one per located lesion, one per statement about a whole image.

Each is a planar ROI group (PS3.16 TID 1410) with a closed polyline, also where it speaks of the whole
image: one group without coordinates makes a widely used viewer lose the boxes of all the others.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from highdicom import sr

from wetread.domain import SOFTWARE_VERSION, Analysis, AnalysisState, Box, Code, Finding, ModelId
from wetread.report import answer, codes, identity
from wetread.report.items import concept, evaluation
from wetread.report.results import ImageResult, StudyResult
from wetread.report.summary import finding_processing, processing

NOT_EVALUABLE: Final = "not evaluable"
# Reasons of the guard that are the image's own fault, and not that it shows something else.
_UNUSABLE_PICTURES: Final = frozenset({"picture_flat", "picture_saturated", "picture_too_small"})
_COMPUTED_RADIOGRAPHY: Final = "1.2.840.10008.5.1.4.1.1.1"
Group = sr.PlanarROIMeasurementsAndQualitativeEvaluations


@dataclass(frozen=True, slots=True)
class Refusal:
    """A network that gave no answer on an image, and why."""

    model: ModelId
    reason: answer.Reason
    has_failed: bool


def measurement_groups(result: StudyResult) -> list[Group]:
    """Every finding, negative ones included, and every image that got no answer; lesions first."""
    lesions: list[Group] = []
    statements: list[Group] = []
    for number, image in enumerate(result.images, start=1):
        for analysis in answer.done(image):
            for finding in analysis.findings:
                made = _finding_groups(image, analysis, finding, image_number=number)
                (lesions if finding.boxes else statements).extend(made)
        statements.extend(_unread_group(image, one, image_number=number) for one in refusals(image))
    return lesions + statements


def whole_image(image: ImageResult) -> Box:
    """The rectangle of all pixels. An image that states no matrix is taken as one pixel."""
    header = image.instance.header
    return Box(0, 0, max(header.Columns, 1), max(header.Rows, 1), probability=0.0)


def outline(box: Box, *, within: Box) -> list[tuple[float, float]]:
    """The closed polyline round a box, x right and y down from the outer corner of the first pixel.

    Cut to the image. Source: PS3.3 C.18.6.1.1 (POLYLINE: closed when the last point is the first).
    """
    left, right = (min(max(x, within.left), within.right) for x in (box.left, box.right))
    top, bottom = (min(max(y, within.top), within.bottom) for y in (box.top, box.bottom))
    return [(left, top), (right, top), (right, bottom), (left, bottom), (left, top)]


def _finding_groups(
    image: ImageResult, analysis: Analysis, finding: Finding, *, image_number: int
) -> list[Group]:
    boxes = finding.boxes or (whole_image(image),)
    return [
        Group(
            tracking_identifier=sr.TrackingIdentifier(
                uid=identity.tracking_uid(
                    image, what=finding.code.value, model=analysis.model, number=number
                ),
                identifier=lesion_name(image, finding, image_number=image_number, number=number),
            ),
            referenced_region=_region(box, image),
            finding_type=concept(finding.code),
            algorithm_id=_algorithm(analysis.model, parameters(analysis, finding, box)),
            finding_sites=_sites(image),
            measurements=[_probability(finding)],
            qualitative_evaluations=_evaluations(image, finding),
            geometric_purpose=concept(codes.BOUNDED_BY),
        )
        for number, box in enumerate(boxes, start=1)
    ]


def lesion_name(image: ImageResult, finding: Finding, *, image_number: int, number: int) -> str:
    """What a reader follows one region by; `number` counts the finding's boxes on this image."""
    place = f" {number}" if finding.boxes else ", whole image"
    return f"{answer.image_name(image, image_number)}, {finding.label.lower()}{place}"


def refusal_name(image: ImageResult, refusal: Refusal, *, image_number: int) -> str:
    """The same for an image that a network did not read."""
    return f"{answer.image_name(image, image_number)}, not evaluable by {refusal.model.name}"


def refusals(image: ImageResult) -> list[Refusal]:
    """Who gave no answer on an image: each network that failed beside others, else the image's one reason."""
    unread = list(answer.failed(image))
    if not answer.done(image):
        unread = answer.unread(image)[:1]
        if not unread:
            own = ModelId(identity.MODEL_NAME, SOFTWARE_VERSION)
            return [Refusal(own, answer.reason_of(image), has_failed=False)]
    return [Refusal(a.model, answer.reason_given(a), has_failed=_has_failed(a)) for a in unread]


def _has_failed(analysis: Analysis) -> bool:
    """Whether a network was tried: one whose picture was turned away before was not."""
    return analysis.state is AnalysisState.FAILED and not analysis.reason.startswith("picture_")


def _unread_group(image: ImageResult, refusal: Refusal, *, image_number: int) -> Group:
    model = refusal.model
    return Group(
        tracking_identifier=sr.TrackingIdentifier(
            uid=identity.tracking_uid(image, what=NOT_EVALUABLE, model=model, number=1),
            identifier=refusal_name(image, refusal, image_number=image_number),
        ),
        referenced_region=_region(whole_image(image), image),
        finding_type=concept(codes.FAILED if refusal.has_failed else codes.NOT_ATTEMPTED),
        algorithm_id=_algorithm(model, refusal_parameters(refusal)),
        finding_sites=_sites(image),
        qualitative_evaluations=_unread_evaluations(image, refusal.reason),
        geometric_purpose=concept(codes.BOUNDED_BY),
    )


def _unread_evaluations(image: ImageResult, reason: answer.Reason) -> list[sr.QualitativeEvaluation]:
    made = [
        evaluation(codes.PRESENCE, codes.UNDETERMINED),
        evaluation(codes.CAD_SUMMARY, processing([image])),
    ]
    if is_unusable(reason):
        made.append(evaluation(codes.IMAGE_QUALITY, codes.UNUSABLE))
    return made


def is_unusable(reason: answer.Reason) -> bool:
    """Whether the image itself is the reason, and not what it shows."""
    return reason.code.startswith("pixels_") or reason.code in _UNUSABLE_PICTURES


def warm() -> None:
    """Make highdicom load its tables (0.6 s) now, so that the first study does not wait for them."""
    _polyline(
        [(0, 0), (1, 0), (1, 1), (0, 0)], sop_class_uid=_COMPUTED_RADIOGRAPHY, sop_instance_uid="2.25.1"
    )


def _region(box: Box, image: ImageResult) -> sr.ImageRegion:
    header = image.instance.header
    points = outline(box, within=whole_image(image))
    return _polyline(points, sop_class_uid=header.SOPClassUID, sop_instance_uid=header.SOPInstanceUID)


def _polyline(
    points: list[tuple[float, float]], *, sop_class_uid: str, sop_instance_uid: str
) -> sr.ImageRegion:
    return sr.ImageRegion(
        graphic_type=sr.GraphicTypeValues.POLYLINE,
        graphic_data=np.array(points, dtype=np.float32),
        source_image=sr.SourceImageForRegion(
            referenced_sop_class_uid=sop_class_uid, referenced_sop_instance_uid=sop_instance_uid
        ),
    )


def site_of(image: ImageResult) -> tuple[Code, Code | None] | None:
    """Where on the body the image was taken, and on which side; None where its header does not say."""
    header = image.instance.header
    site = codes.SITE_OF.get(header.body_part)
    return (site, codes.LATERALITY_OF.get(header.laterality)) if site else None


def _sites(image: ImageResult) -> list[sr.FindingSite] | None:
    known = site_of(image)
    if known is None:
        return None
    site, side = known
    return [sr.FindingSite(concept(site), laterality=concept(side) if side else None)]


def _probability(finding: Finding) -> sr.Measurement:
    """The finding's calibrated probability on this image.

    The zone's code is the presence: no coding scheme has one of its own for it.
    """
    return sr.Measurement(
        name=concept(codes.PROBABILITY),
        value=answer.percent_of(finding, digits=1),
        unit=concept(codes.PERCENT),
    )


def _evaluations(image: ImageResult, finding: Finding) -> list[sr.QualitativeEvaluation]:
    return [
        evaluation(finding.code, codes.PRESENCE_OF_ZONE[finding.zone]),
        evaluation(codes.CAD_SUMMARY, finding_processing(image, finding)),
    ]


def parameters(analysis: Analysis, finding: Finding, box: Box) -> list[str]:
    """The zone and what cut it, what the network was run with, its evidence in this box.

    In words, for no template row holds them: a normal range (TID 312) is what health looks like.
    """
    told = [_zone_text(finding)]
    if finding.boxes:
        told.append(f"Peak evidence in this box: {box.probability:.2f} of 1 (not a probability of disease)")
    if analysis.provider:
        told.append(f"Execution provider: {analysis.provider}")
    return told + _digest(analysis.model)


def _zone_text(finding: Finding) -> str:
    points = finding.operating_points
    return (
        f"Zone: {finding.zone.value}. "
        f"Operating points on the calibrated probability of {finding.label.lower()}: "
        f"doubtful from {100 * points.sensitive:.4g} %, positive from {100 * points.specific:.4g} %"
    )


def refusal_parameters(refusal: Refusal) -> list[str]:
    """Why a network gave no answer, in words and as our code."""
    reason = refusal.reason
    return [f"Not evaluable: {reason.text} ({reason.code})", *_digest(refusal.model)]


def _digest(model: ModelId) -> list[str]:
    return [f"Network SHA-256: {model.digest}"] if model.digest else []


def _algorithm(model: ModelId, told: list[str]) -> sr.AlgorithmIdentification:
    return sr.AlgorithmIdentification(
        name=model.name,
        version=model.version,
        parameters=told,
        family=concept(codes.ARTIFICIAL_INTELLIGENCE),
    )
