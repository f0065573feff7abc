"""What the measurement groups of a report must be: every one of the result's statements, and no other."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, fields
from typing import Final, TypeAlias

import numpy as np
from pydicom.dataset import Dataset

from wetread.domain import Analysis, Box, Code, Finding
from wetread.report import answer, codes, identity
from wetread.report.content import by_name, code_of, named, of_type
from wetread.report.measurement_group import (
    NOT_EVALUABLE,
    Refusal,
    is_unusable,
    lesion_name,
    outline,
    parameters,
    refusal_name,
    refusal_parameters,
    refusals,
    site_of,
    whole_image,
)
from wetread.report.results import ImageResult, StudyResult
from wetread.report.summary import finding_processing, processing

_Items: TypeAlias = dict[str, list[Dataset]]
_GROUP_TEMPLATE: Final = "1410"
_NEAR: Final = 1e-6


@dataclass(frozen=True, slots=True)
class _Statement:
    """One measurement group as a reader takes it: about which image, what, how sure, where, by whom."""

    image: str
    tracking_uid: str
    tracking_identifier: str
    finding: str
    presence: str
    summary: str
    quality: str
    probability: tuple[tuple[float, str], ...]
    site: tuple[tuple[str, str], ...]
    algorithm: tuple[str, str, str]
    parameters: tuple[str, ...]
    purpose: str
    points: tuple[float, ...]


def group_defects(ds: Dataset, result: StudyResult) -> Iterator[str]:
    """Every way in which the groups are not what the study result calls for."""
    groups = [(group, by_name(group)) for group in _groups(ds)]
    if not groups:
        yield "no measurement group"
        return
    for number, (group, items) in enumerate(groups, start=1):
        yield from (f"group {number}: {defect}" for defect in _shape_defects(group, items, result))
    said = [_said(items) for _, items in groups]
    yield from _statement_defects(said, _found(result))
    if {image.instance.header.SOPInstanceUID for image in result.images} != {one.image for one in said}:
        yield "an input image has no group"


def _groups(ds: Dataset) -> list[Dataset]:
    """Those in the container of measurements: no other item may hold one."""
    return by_name(named(ds, codes.IMAGING_MEASUREMENTS)).get(codes.MEASUREMENT_GROUP.value, [])


def _shape_defects(group: Dataset, items: _Items, result: StudyResult) -> Iterator[str]:
    if [t.TemplateIdentifier for t in group.get("ContentTemplateSequence") or []] != [_GROUP_TEMPLATE]:
        yield "not TID 1410"
    for name, attribute in (
        (codes.TRACKING_IDENTIFIER, "TextValue"),
        (codes.TRACKING_UID, "UID"),
        (codes.FINDING, "ConceptCodeSequence"),
    ):
        if not any(item.get(attribute) for item in items.get(name.value, [])):
            yield f"{name.meaning} is missing"
    values = (v for n in items.get(codes.PROBABILITY.value, []) for v in n.get("MeasuredValueSequence") or [])
    if not all(_is_one_number(value) for value in values):
        yield "a number stands there twice with two values"
    regions = items.get(codes.IMAGE_REGION.value, [])
    if len(regions) != 1:
        yield "not exactly one region"
        return
    yield from _region_defects(regions[0], result)


def _region_defects(region: Dataset, result: StudyResult) -> Iterator[str]:
    points = [float(number) for number in region.get("GraphicData") or []]
    if region.get("GraphicType") != "POLYLINE" or len(points) < 8 or points[:2] != points[-2:]:
        yield "the region is not a closed polyline"
    named_images = [
        (str(r.ReferencedSOPClassUID), str(r.ReferencedSOPInstanceUID)) for r in _images_of(region)
    ]
    sources = [image for image in result.images if [_key(image)] == named_images]
    if not sources:
        yield "the region is not on an input image"
        return
    whole = whole_image(sources[0])
    is_inside = all(0 <= x <= whole.right for x in points[0::2]) and all(
        0 <= y <= whole.bottom for y in points[1::2]
    )
    if not is_inside:
        yield "the region leaves the image"


def _images_of(region: Dataset) -> list[Dataset]:
    return [reference for item in of_type(region, "IMAGE") for reference in item.ReferencedSOPSequence]


def _key(image: ImageResult) -> tuple[str, str]:
    return str(image.instance.header.SOPClassUID), str(image.instance.header.SOPInstanceUID)


def _statement_defects(said: Sequence[_Statement], found: Sequence[_Statement]) -> Iterator[str]:
    """Compare what is said with what was found, group by group."""
    if len({one.tracking_uid for one in said}) != len(said):
        yield "a tracking UID is used twice"
    asked = {one.tracking_uid: one for one in found}
    for one in said:
        if one not in found:
            yield f"says {_words(one)}, which is not the result{_differing(one, asked.get(one.tracking_uid))}"
    yield from (f"does not say {_words(one)}" for one in found if one not in said)
    if list(said) != list(found) and sorted(said, key=repr) == sorted(found, key=repr):
        yield "groups with lesions do not come first"


def _differing(said: _Statement, found: _Statement | None) -> str:
    if found is None:
        return ""
    names = [field.name for field in fields(said) if getattr(said, field.name) != getattr(found, field.name)]
    return f" ({', '.join(names).replace('_', ' ')})"


def _words(statement: _Statement) -> str:
    sure = "".join(f" at {value} {unit}" for value, unit in statement.probability)
    return f"{statement.finding} = {statement.presence}{sure}"


def _said(items: _Items) -> _Statement:
    numbers = items.get(codes.PROBABILITY.value, [])
    finding = _code(items, codes.FINDING.value)
    region = next(iter(items.get(codes.IMAGE_REGION.value, [])), Dataset())
    references = _images_of(region)
    return _Statement(
        image=str(references[0].ReferencedSOPInstanceUID) if references else "",
        tracking_uid=_text(items, codes.TRACKING_UID, "UID"),
        tracking_identifier=_text(items, codes.TRACKING_IDENTIFIER),
        finding=finding,
        presence=_code(items, codes.PRESENCE.value) or _code(items, finding),
        summary=_code(items, codes.CAD_SUMMARY.value),
        quality=_code(items, codes.IMAGE_QUALITY.value),
        probability=tuple(_number(value) for n in numbers for value in n.get("MeasuredValueSequence") or []),
        site=tuple(
            (code_of(site), code_of(named(site, codes.LATERALITY)))
            for site in items.get(codes.FINDING_SITE.value, [])
        ),
        algorithm=(
            _text(items, codes.ALGORITHM_NAME),
            _text(items, codes.ALGORITHM_VERSION),
            _code(items, codes.ALGORITHM_FAMILY.value),
        ),
        parameters=tuple(str(item.TextValue) for item in items.get(codes.ALGORITHM_PARAMETERS.value, [])),
        purpose=_code(items, codes.GEOMETRIC_PURPOSE.value),
        points=_rounded(region.get("GraphicData") or []),
    )


def _text(items: _Items, name: Code, keyword: str = "TextValue") -> str:
    found = items.get(name.value, [])
    return str(found[0].get(keyword, "")) if found else ""


def _code(items: _Items, name: str) -> str:
    found = items.get(name, [])
    return code_of(found[0]) if found else ""


def _is_one_number(value: Dataset) -> bool:
    """As decimal string and as floating point number."""
    number = float(value.NumericValue)
    return abs(float(value.get("FloatingPointValue", number)) - number) <= _NEAR


def _number(value: Dataset) -> tuple[float, str]:
    units = value.get("MeasurementUnitsCodeSequence") or [Dataset()]
    return float(value.NumericValue), str(units[0].get("CodeValue", ""))


def _found(result: StudyResult) -> list[_Statement]:
    """What the report is to say, in its order."""
    lesions: list[_Statement] = []
    others: list[_Statement] = []
    for image_number, image in enumerate(result.images, start=1):
        for analysis in answer.done(image):
            for finding in analysis.findings:
                made = [
                    _of_finding(image, analysis, finding, box=box, numbers=(image_number, number))
                    for number, box in enumerate(finding.boxes or (whole_image(image),), start=1)
                ]
                (lesions if finding.boxes else others).extend(made)
        others.extend(_of_refusal(image, one, image_number=image_number) for one in refusals(image))
    return lesions + others


def _of_finding(
    image: ImageResult, analysis: Analysis, finding: Finding, *, box: Box, numbers: tuple[int, int]
) -> _Statement:
    image_number, number = numbers
    model, value = analysis.model, finding.code.value
    return _Statement(
        image=image.instance.header.SOPInstanceUID,
        tracking_uid=identity.tracking_uid(image, what=value, model=model, number=number),
        tracking_identifier=lesion_name(image, finding, image_number=image_number, number=number),
        finding=value,
        presence=codes.PRESENCE_OF_ZONE[finding.zone].value,
        summary=finding_processing(image, finding).value,
        quality="",
        probability=((answer.percent_of(finding, digits=1), codes.PERCENT.value),),
        site=_site(image),
        algorithm=(model.name, model.version, codes.ARTIFICIAL_INTELLIGENCE.value),
        parameters=tuple(parameters(analysis, finding, box)),
        purpose=codes.BOUNDED_BY.value,
        points=_points(image, box),
    )


def _of_refusal(image: ImageResult, refusal: Refusal, *, image_number: int) -> _Statement:
    model = refusal.model
    return _Statement(
        image=image.instance.header.SOPInstanceUID,
        tracking_uid=identity.tracking_uid(image, what=NOT_EVALUABLE, model=model, number=1),
        tracking_identifier=refusal_name(image, refusal, image_number=image_number),
        finding=(codes.FAILED if refusal.has_failed else codes.NOT_ATTEMPTED).value,
        presence=codes.UNDETERMINED.value,
        summary=processing([image]).value,
        quality=codes.UNUSABLE.value if is_unusable(refusal.reason) else "",
        probability=(),
        site=_site(image),
        algorithm=(model.name, model.version, codes.ARTIFICIAL_INTELLIGENCE.value),
        parameters=tuple(refusal_parameters(refusal)),
        purpose=codes.BOUNDED_BY.value,
        points=_points(image, whole_image(image)),
    )


def _site(image: ImageResult) -> tuple[tuple[str, str], ...]:
    known = site_of(image)
    return () if known is None else ((known[0].value, known[1].value if known[1] else ""),)


def _points(image: ImageResult, box: Box) -> tuple[float, ...]:
    corners = outline(box, within=whole_image(image))
    return _rounded(number for corner in corners for number in corner)


def _rounded(numbers: Iterable[float]) -> tuple[float, ...]:
    """As single precision keeps them (value representation FL), to a tenth of a pixel."""
    return tuple(round(float(np.float32(number)), 1) for number in numbers)
