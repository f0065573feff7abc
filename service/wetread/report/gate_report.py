"""What a report must be, given the study result it answers, in either class."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from types import MappingProxyType
from typing import Final

from pydicom.dataset import Dataset
from pydicom.uid import Comprehensive3DSRStorage, ComprehensiveSRStorage

from wetread.domain import ObjectKind
from wetread.report import answer, codes, identity, summary
from wetread.report.content import code_of, name_of, named
from wetread.report.gate_groups import group_defects
from wetread.report.gate_tree import context_defects, observer_defects, tree_defects
from wetread.report.results import StudyResult
from wetread.report.structured_report import requests_of

_TEMPLATE: Final = "1500"
_KIND_OF_CLASS: Final = MappingProxyType(
    {
        str(Comprehensive3DSRStorage): ObjectKind.STRUCTURED_REPORT,
        str(ComprehensiveSRStorage): ObjectKind.COMPREHENSIVE_REPORT,
    }
)


def report_defects(ds: Dataset, result: StudyResult, sources: list[Dataset]) -> Iterator[str]:
    """Every way in which a report is not what the study result calls for; `sources` as its images."""
    kind = _KIND_OF_CLASS.get(str(ds.SOPClassUID))
    if kind is None:
        yield "neither a Comprehensive 3D nor a Comprehensive SR"
        return
    yield from _kind_defects(ds, result, kind)
    yield from _document_defects(ds, result)
    if list(ds.get("ReferencedRequestSequence") or []) != (requests_of(sources) or []):
        yield "the requests are not those that the sources name"
    yield from context_defects(ds)
    yield from observer_defects(ds)
    yield from _evidence_defects(ds, result)
    yield from _summary_defects(ds, result)
    yield from tree_defects(
        ds,
        sentences=[codes.COMMENT, *(name for name, _ in summary.texts(result))],
        findings=[f.code for image in result.images for f in answer.findings_of(image)],
    )
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
    if ds.get("PreliminaryFlag") != "PRELIMINARY":
        yield "not preliminary"


def _predecessors(result: StudyResult, kind: ObjectKind) -> list[tuple[str, str, str, str]]:
    earlier = result.predecessor
    if earlier is None:
        return []
    is_3d_named = kind is ObjectKind.STRUCTURED_REPORT or not earlier.has_comprehensive
    if is_3d_named or earlier.SOPClassUID != Comprehensive3DSRStorage:
        return [(result.study, earlier.SeriesInstanceUID, earlier.SOPClassUID, earlier.SOPInstanceUID)]
    series, uid = identity.series_uid(result.study, kind), identity.comprehensive_uid(earlier.SOPInstanceUID)
    return [(result.study, series, ComprehensiveSRStorage, uid)]


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
    allowed = [*asked, (codes.COMMENT.value, summary.PLAIN_NOTE)]
    if Counter(said) - Counter(allowed):
        yield "the summary says what the result does not"
    if code_of(named(container, codes.CAD_SUMMARY)) != summary.processing(result.images).value:
        yield "the summary code is not what became of the networks"
