"""What a report must be, given the study result it answers."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final

import numpy as np
from pydicom.dataset import Dataset
from pydicom.uid import Comprehensive3DSRStorage, ComprehensiveSRStorage

from wetread.domain import Box, Code, ObjectKind
from wetread.report import answer, codes, identity
from wetread.report.measurement_group import NOT_EVALUABLE, outline, refusals, whole_image
from wetread.report.results import ImageResult, StudyResult

_TEMPLATE: Final = "1500"
_GROUP_TEMPLATE: Final = "1410"
_CLASS_OF: Final = MappingProxyType(
    {
        ObjectKind.STRUCTURED_REPORT: Comprehensive3DSRStorage,
        ObjectKind.COMPREHENSIVE_REPORT: ComprehensiveSRStorage,
    }
)


@dataclass(frozen=True, slots=True)
class _Statement:
    """One measurement group as a reader takes it: about which image, what, how sure, where."""

    instance: str
    tracking_uid: str
    concept: str
    presence: str
    percent: float | None
    points: tuple[float, ...]


def report_defects(
    ds: Dataset, result: StudyResult, *, kind: ObjectKind = ObjectKind.STRUCTURED_REPORT
) -> Iterator[str]:
    """Every way in which a report is not what the study result calls for."""
    if ds.SOPClassUID != _CLASS_OF[kind]:
        yield "not the SOP class of this kind of report"
    yield from _document_defects(ds, result, kind)
    yield from _evidence_defects(ds, result)
    groups = list(_groups(ds))
    if not groups:
        yield "no measurement group"
        return
    for number, group in enumerate(groups, start=1):
        yield from (f"group {number}: {defect}" for defect in _group_defects(group, result))
    tracked = [_value(group, codes.TRACKING_UID, "UID") for group in groups]
    if len(set(tracked)) != len(tracked):
        yield "a tracking UID is used twice"
    yield from _statement_defects(groups, result)


def _document_defects(ds: Dataset, result: StudyResult, kind: ObjectKind) -> Iterator[str]:
    if ds.get("ValueType") != "CONTAINER" or ds.get("ContinuityOfContent") != "SEPARATE":
        yield "the root is not a container of separate items"
    if [t.TemplateIdentifier for t in ds.get("ContentTemplateSequence") or []] != [_TEMPLATE]:
        yield "the root template is not TID 1500"
    if (ds.get("CompletionFlag"), ds.get("VerificationFlag")) != ("COMPLETE", "UNVERIFIED"):
        yield "not complete and unverified"
    if ds.InstanceNumber != result.revision:
        yield "InstanceNumber is not the revision"
    named = {item.get("DeviceUID") for item in ds.get("ContributingEquipmentSequence") or []}
    if named != {identity.device_uid(a.model) for i in result.images for a in answer.done(i)}:
        yield "the contributing equipment is not the networks that ran"
    if list(_referenced(ds, "PredecessorDocumentsSequence")) != _predecessors(result, kind):
        yield "the predecessor is not the earlier revision"
    yield from _text_defects(ds, result)


def _text_defects(ds: Dataset, result: StudyResult) -> Iterator[str]:
    texts = [item.TextValue for item in _walk(ds) if item.get("ValueType") == "TEXT"]
    if answer.study_answer(result).text not in texts:
        yield "the conclusion does not say the answer"
    if not any(answer.SAFETY_NOTE in text for text in texts):
        yield "the safety note is missing"


def _predecessors(result: StudyResult, kind: ObjectKind) -> list[tuple[str, str, str, str]]:
    if result.predecessor is None:
        return []
    earlier = result.predecessor
    series, instance = earlier.SeriesInstanceUID, earlier.SOPInstanceUID
    if kind is ObjectKind.COMPREHENSIVE_REPORT:
        series, instance = identity.comprehensive_uid(series), identity.comprehensive_uid(instance)
        return [(result.study, series, ComprehensiveSRStorage, instance)]
    return [(result.study, series, earlier.SOPClassUID, instance)]


def _evidence_defects(ds: Dataset, result: StudyResult) -> Iterator[str]:
    listed = list(_referenced(ds, "CurrentRequestedProcedureEvidenceSequence"))
    headers = [image.instance.header for image in result.images]
    asked = {(result.study, h.SeriesInstanceUID, h.SOPClassUID, h.SOPInstanceUID) for h in headers}
    if len(listed) != len(set(listed)):
        yield "an input is listed twice as evidence"
    if set(listed) != asked:
        yield "the evidence is not the study's input images"


def _referenced(ds: Dataset, keyword: str) -> Iterator[tuple[str, str, str, str]]:
    """Study, series, class and instance of every reference in a hierarchical sequence."""
    for study in ds.get(keyword) or []:
        for series in study.ReferencedSeriesSequence:
            for item in series.ReferencedSOPSequence:
                yield (
                    str(study.StudyInstanceUID),
                    str(series.SeriesInstanceUID),
                    str(item.ReferencedSOPClassUID),
                    str(item.ReferencedSOPInstanceUID),
                )


def _group_defects(group: Dataset, result: StudyResult) -> Iterator[str]:
    if [t.TemplateIdentifier for t in group.get("ContentTemplateSequence") or []] != [_GROUP_TEMPLATE]:
        yield "not TID 1410"
    for name, attribute in (
        (codes.TRACKING_IDENTIFIER, "TextValue"),
        (codes.TRACKING_UID, "UID"),
        (codes.FINDING, "ConceptCodeSequence"),
    ):
        if not _value(group, name, attribute):
            yield f"{name.meaning} is missing"
    regions = _of_type(group, "SCOORD")
    if len(regions) != 1:
        yield "not exactly one region"
        return
    yield from _region_defects(regions[0], result)


def _region_defects(region: Dataset, result: StudyResult) -> Iterator[str]:
    points = [float(number) for number in region.get("GraphicData") or []]
    if region.get("GraphicType") != "POLYLINE" or len(points) < 8 or points[:2] != points[-2:]:
        yield "the region is not a closed polyline"
    images = _of_type(region, "IMAGE")
    named = [
        (item.ReferencedSOPClassUID, item.ReferencedSOPInstanceUID)
        for reference in images
        for item in reference.ReferencedSOPSequence
    ]
    sources = [i for i in result.images if [_key(i)] == named]
    if not sources:
        yield "the region is not on an input image"
        return
    whole = whole_image(sources[0])
    is_inside = all(0 <= x <= whole.right for x in points[0::2]) and all(
        0 <= y <= whole.bottom for y in points[1::2]
    )
    if not is_inside:
        yield "the region leaves the image"


def _key(image: ImageResult) -> tuple[str, str]:
    return image.instance.header.SOPClassUID, image.instance.header.SOPInstanceUID


def _statement_defects(groups: list[Dataset], result: StudyResult) -> Iterator[str]:
    """Compare what is said with what was found, group by group."""
    said = [_said(group) for group in groups]
    found = _found(result)
    yield from (f"says {_words(one)}, which is not the result" for one in said if one not in found)
    yield from (f"does not say {_words(one)}" for one in found if one not in said)
    if said != found and sorted(said, key=repr) == sorted(found, key=repr):
        yield "groups with lesions do not come first"


def _said(group: Dataset) -> _Statement:
    finding = (_value(group, codes.FINDING, "ConceptCodeSequence") or [Dataset()])[0].get("CodeValue", "")
    answers = {_name(item): item.ConceptCodeSequence[0].CodeValue for item in _of_type(group, "CODE")}
    numbers = [item for item in _of_type(group, "NUM") if _name(item) == codes.PROBABILITY.value]
    values = [float(value.NumericValue) for item in numbers for value in item.MeasuredValueSequence]
    region = next(iter(_of_type(group, "SCOORD")), Dataset())
    references = [r for image in _of_type(region, "IMAGE") for r in image.ReferencedSOPSequence]
    return _Statement(
        instance=str(references[0].ReferencedSOPInstanceUID) if references else "",
        tracking_uid=str(_value(group, codes.TRACKING_UID, "UID")),
        concept=finding,
        presence=answers.get(codes.PRESENCE.value) or answers.get(finding, ""),
        percent=values[0] if values else None,
        points=_rounded(region.get("GraphicData") or []),
    )


def _found(result: StudyResult) -> list[_Statement]:
    """What the report is to say, in its order."""
    lesions: list[_Statement] = []
    others: list[_Statement] = []
    for image in result.images:
        for analysis in answer.done(image):
            for finding in analysis.findings:
                made = [
                    _Statement(
                        instance=image.instance.header.SOPInstanceUID,
                        tracking_uid=identity.tracking_uid(
                            image, what=finding.code.value, model=analysis.model, number=number
                        ),
                        concept=finding.code.value,
                        presence=codes.PRESENCE_OF_ZONE[finding.zone].value,
                        percent=round(100 * finding.probability, 1),
                        points=_points(image, box),
                    )
                    for number, box in enumerate(finding.boxes or (whole_image(image),), start=1)
                ]
                (lesions if finding.boxes else others).extend(made)
        others.extend(_unread(image))
    return lesions + others


def _unread(image: ImageResult) -> list[_Statement]:
    return [
        _Statement(
            instance=image.instance.header.SOPInstanceUID,
            tracking_uid=identity.tracking_uid(image, what=NOT_EVALUABLE, model=refusal.model, number=1),
            concept=(codes.FAILED if refusal.has_failed else codes.NOT_ATTEMPTED).value,
            presence=codes.UNDETERMINED.value,
            percent=None,
            points=_points(image, whole_image(image)),
        )
        for refusal in refusals(image)
    ]


def _points(image: ImageResult, box: Box) -> tuple[float, ...]:
    corners = outline(box, within=whole_image(image))
    return _rounded([number for corner in corners for number in corner])


def _rounded(numbers: Iterable[float]) -> tuple[float, ...]:
    """As single precision keeps them (value representation FL), to a tenth of a pixel."""
    return tuple(round(float(np.float32(number)), 1) for number in numbers)


def _words(statement: _Statement) -> str:
    sure = "" if statement.percent is None else f" at {statement.percent} %"
    return f"{statement.concept} = {statement.presence}{sure}"


def _groups(ds: Dataset) -> Iterator[Dataset]:
    for item in _walk(ds):
        if item.get("ValueType") == "CONTAINER" and _name(item) == codes.MEASUREMENT_GROUP.value:
            yield item


def _walk(ds: Dataset) -> Iterator[Dataset]:
    for item in ds.get("ContentSequence") or []:
        yield item
        yield from _walk(item)


def _name(item: Dataset) -> str:
    names = item.get("ConceptNameCodeSequence") or []
    return str(names[0].get("CodeValue", "")) if names else ""


def _of_type(parent: Dataset, value_type: str) -> list[Dataset]:
    return [item for item in parent.get("ContentSequence") or [] if item.get("ValueType") == value_type]


def _value(group: Dataset, name: Code, attribute: str) -> Any:
    """The value of the item of that name, or None."""
    items = (item for item in group.get("ContentSequence") or [] if _name(item) == name.value)
    return next((item.get(attribute) for item in items), None)
