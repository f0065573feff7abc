"""What a report must be, given the study result it answers, in either class."""

from __future__ import annotations

from collections.abc import Iterator
from types import MappingProxyType
from typing import Final

from pydicom.dataset import Dataset
from pydicom.uid import Comprehensive3DSRStorage, ComprehensiveSRStorage

from wetread.domain import Code, ModelId, ObjectKind
from wetread.report import answer, codes, identity, summary
from wetread.report.content import code_of, name_of, named, walk
from wetread.report.gate_groups import group_defects
from wetread.report.results import StudyResult

_TEMPLATE: Final = "1500"
_KIND_OF_CLASS: Final = MappingProxyType(
    {
        str(Comprehensive3DSRStorage): ObjectKind.STRUCTURED_REPORT,
        str(ComprehensiveSRStorage): ObjectKind.COMPREHENSIVE_REPORT,
    }
)


def report_defects(ds: Dataset, result: StudyResult) -> Iterator[str]:
    """Every way in which a report is not what the study result calls for."""
    kind = _KIND_OF_CLASS.get(str(ds.SOPClassUID))
    if kind is None:
        yield "neither a Comprehensive 3D nor a Comprehensive SR"
        return
    yield from _kind_defects(ds, result, kind)
    yield from _document_defects(ds, result)
    yield from _equipment_defects(ds, result)
    yield from _observer_defects(ds)
    yield from _evidence_defects(ds, result)
    yield from _summary_defects(ds, result)
    yield from _code_defects(ds, result)
    yield from group_defects(ds, result)


def _kind_defects(ds: Dataset, result: StudyResult, kind: ObjectKind) -> Iterator[str]:
    forms: list[tuple[str, ...]] = [(), (identity.PLAIN,)]
    if ds.SOPInstanceUID not in {identity.study_object_uid(kind, result, *form) for form in forms}:
        yield "its class is not the one of its UID"
    if ds.SeriesInstanceUID != identity.series_uid(result.study, kind):
        yield "its class is not the one of its series"
    if (ds.Modality, ds.SeriesNumber) != ("SR", identity.SERIES_NUMBER[kind]):
        yield "the series is not one of reports of this kind"
    if list(_referenced(ds, "PredecessorDocumentsSequence")) != _predecessors(result, kind):
        yield "the predecessor is not the earlier revision"


def _document_defects(ds: Dataset, result: StudyResult) -> Iterator[str]:
    if ds.get("ValueType") != "CONTAINER" or ds.get("ContinuityOfContent") != "SEPARATE":
        yield "the root is not a container of separate items"
    if [t.TemplateIdentifier for t in ds.get("ContentTemplateSequence") or []] != [_TEMPLATE]:
        yield "the root template is not TID 1500"
    if (ds.get("CompletionFlag"), ds.get("VerificationFlag")) != ("COMPLETE", "UNVERIFIED"):
        yield "not complete and unverified"
    if ds.InstanceNumber != result.revision:
        yield "InstanceNumber is not the revision"
    if any(
        item.get("StudyInstanceUID") != result.study for item in ds.get("ReferencedRequestSequence") or []
    ):
        yield "a request is of another study"


def _predecessors(result: StudyResult, kind: ObjectKind) -> list[tuple[str, str, str, str]]:
    earlier = result.predecessor
    if earlier is None:
        return []
    is_3d_named = kind is ObjectKind.STRUCTURED_REPORT or not earlier.has_comprehensive
    if is_3d_named or earlier.SOPClassUID != Comprehensive3DSRStorage:
        return [(result.study, earlier.SeriesInstanceUID, earlier.SOPClassUID, earlier.SOPInstanceUID)]
    series, uid = identity.series_uid(result.study, kind), identity.comprehensive_uid(earlier.SOPInstanceUID)
    return [(result.study, series, ComprehensiveSRStorage, uid)]


def _equipment_defects(ds: Dataset, result: StudyResult) -> Iterator[str]:
    ran = {analysis.model for image in result.images for analysis in answer.done(image)}
    said = [_equipment(item) for item in ds.get("ContributingEquipmentSequence") or []]
    if sorted(said) != sorted(_model(model) for model in ran):
        yield "the contributing equipment is not the networks that ran"


def _equipment(item: Dataset) -> tuple[str, ...]:
    keywords = ("Manufacturer", "ManufacturerModelName", "SoftwareVersions", "DeviceUID")
    purposes = item.get("PurposeOfReferenceCodeSequence") or [Dataset()]
    digest = str(item.get("ContributionDescription", "")).rpartition(" SHA-256 ")[2]
    told = (str(item.get(keyword, "")) for keyword in keywords)
    return (*told, digest, str(purposes[0].get("CodeValue", "")))


def _model(model: ModelId) -> tuple[str, ...]:
    made = (identity.MANUFACTURER, model.name[:64], model.version[:64], identity.device_uid(model))
    return (*made, model.digest or "Neural network", codes.PROCESSING_ALGORITHM.value)


def _observer_defects(ds: Dataset) -> Iterator[str]:
    """The observer is this software, and no person (PS3.16 TID 1002, TID 1004)."""
    if code_of(named(ds, codes.OBSERVER_TYPE)) != codes.DEVICE.value:
        yield "the observer is not a device"
    if named(ds, codes.OBSERVER_UID).get("UID") != identity.OBSERVER_UID:
        yield "the device observer's UID is not this software's"
    if named(ds, codes.OBSERVER_NAME).get("TextValue") != identity.MODEL_NAME:
        yield "the device observer's name is not this software's"


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


def _summary_defects(ds: Dataset, result: StudyResult) -> Iterator[str]:
    """Answer, counts, reasons and changes are said, and nothing else is."""
    container = named(ds, codes.QUALITATIVE_EVALUATIONS)
    items = list(container.get("ContentSequence") or [])
    said = [(name_of(item), item.TextValue) for item in items if item.get("ValueType") == "TEXT"]
    asked = [(name.value, text) for name, text in summary.texts(result)]
    for number, (one, (name, _)) in enumerate(zip(asked, summary.texts(result), strict=True), start=1):
        if one not in said:
            yield f"the summary lacks sentence {number}, {name.meaning}"
    allowed = {*asked, (codes.COMMENT.value, summary.PLAIN_NOTE)}
    if len(said) > len(asked) + 1 or not allowed.issuperset(said):
        yield "the summary says what the result does not"
    if code_of(named(container, codes.CAD_SUMMARY)) != summary.processing(result.images).value:
        yield "the summary code is not what became of the networks"


def _code_defects(ds: Dataset, result: StudyResult) -> Iterator[str]:
    """A code and its words must say the same: people read the words, machines the code."""
    meanings: dict[tuple[str, str], set[str]] = {}
    for known in _codes(result):
        meanings.setdefault((known.value, known.scheme), set()).add(known.meaning)
    for item in walk(ds):
        for code in _coded(item):
            key = (str(code.get("CodeValue", "")), str(code.get("CodingSchemeDesignator", "")))
            if code.get("CodeMeaning") not in meanings.get(key, {code.get("CodeMeaning")}):
                yield f"the meaning of code {key[0]} is another"


def _coded(item: Dataset) -> list[Dataset]:
    """The codes of an item: its name, its answer, the unit of its number."""
    keywords = ("ConceptNameCodeSequence", "ConceptCodeSequence", "MeasurementUnitsCodeSequence")
    holders = (item, *(item.get("MeasuredValueSequence") or []))
    return [code for holder in holders for keyword in keywords for code in holder.get(keyword) or []]


def _codes(result: StudyResult) -> Iterator[Code]:
    for value in vars(codes).values():
        if isinstance(value, Code):
            yield value
        elif isinstance(value, MappingProxyType):
            yield from (code for code in value.values() if isinstance(code, Code))
    yield from (f.code for image in result.images for f in answer.findings_of(image))
