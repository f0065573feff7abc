"""The study's answer as a Structured Report: TID 1500 Measurement Report, Comprehensive 3D SR.

Shape: PS3.16 TID 1500 and IHE's profile AI Results. COMPLETE and UNVERIFIED: all that the networks
have to say, and no person has checked it.
"""

from __future__ import annotations

from highdicom import sr
from pydicom.dataset import Dataset

from wetread.domain import SOFTWARE_VERSION, ObjectKind
from wetread.report import answer, codes, identity, summary
from wetread.report.items import code_item, concept, text_item
from wetread.report.measurement_group import measurement_groups
from wetread.report.results import BuiltObject, StudyResult
from wetread.report.source import ledger_source, quiet, source_of
from wetread.report.stamp import add_equipment, stamp


def build_report(result: StudyResult) -> BuiltObject:
    """One report over all images of a study revision; every input is listed as evidence.

    Raises Unreadable when a source header cannot be read.
    """
    return _build(result, [source_of(image) for image in result.images], is_plain=False)


def build_plain_report(result: StudyResult) -> BuiltObject:
    """The last resort when `build_report` keeps failing: the same report, made without the source files.

    An object of its own in the same series. Same findings, reasons and references; of patient and study
    only what the ledger noted on receipt, and a comment that says so. The gate judges it by the ledger.
    """
    return _build(result, [ledger_source(image) for image in result.images], is_plain=True)


def _build(result: StudyResult, sources: list[Dataset], *, is_plain: bool) -> BuiltObject:
    with quiet():
        content = _content(result, notes=[summary.PLAIN_NOTE] if is_plain else [])
        ds = _document(result, sources, content, form=[identity.PLAIN] if is_plain else [])
        ds.PatientName = sources[0].PatientName
        add_equipment(ds, (a for image in result.images for a in answer.done(image)))
        stamp(ds, source=sources[0], at=result.concluded_at)
    return BuiltObject(ds=ds, kind=ObjectKind.STRUCTURED_REPORT, source=None, is_plain=is_plain)


def _document(result: StudyResult, sources: list[Dataset], content: Dataset, *, form: list[str]) -> Dataset:
    kind = ObjectKind.STRUCTURED_REPORT
    items = content.ContentSequence
    # highdicom copies and parses the content twice, half the time of a report: the items go in after it.
    content.ContentSequence = sr.ContentSequence(items[:1])
    document = sr.Comprehensive3DSR(
        evidence=sources,
        content=content,
        series_instance_uid=identity.series_uid(result.study, kind),
        series_number=identity.SERIES_NUMBER[kind],
        series_description=identity.SERIES_DESCRIPTION,
        sop_instance_uid=identity.study_object_uid(kind, result, *form),
        instance_number=result.revision,
        manufacturer=identity.MANUFACTURER,
        is_complete=True,
        previous_versions=_predecessors(result),
        requested_procedures=requests_of(sources),
    )
    ds = Dataset(document)
    ds.ContentSequence = items
    return ds


def _content(result: StudyResult, *, notes: list[str]) -> Dataset:
    report = sr.MeasurementReport(
        observation_context=_observer(),
        procedure_reported=concept(codes.RADIOGRAPHY_PROCEDURE),
        imaging_measurements=measurement_groups(result),
        title=concept(codes.IMAGING_MEASUREMENT_REPORT),
    )
    root: Dataset = report[0]
    root.ContentSequence.append(_summary(result, notes))
    _separate(root)
    return root


def _separate(item: Dataset) -> None:
    """The items of every container stand each for itself, not as running text (PS3.3 C.18.8)."""
    if item.ValueType == "CONTAINER":
        item.ContinuityOfContent = "SEPARATE"
    for child in item.get("ContentSequence") or ():
        _separate(child)


def _observer() -> sr.ObservationContext:
    """The observer is a device: this software (PS3.16 TID 1004)."""
    device = sr.DeviceObserverIdentifyingAttributes(
        uid=identity.OBSERVER_UID,
        name=identity.MODEL_NAME,
        manufacturer_name=identity.MANUFACTURER,
        model_name=f"{identity.MODEL_NAME} {SOFTWARE_VERSION}",
    )
    return sr.ObservationContext(
        observer_device_context=sr.ObserverContext(
            observer_type=concept(codes.DEVICE), observer_identifying_attributes=device
        )
    )


def _summary(result: StudyResult, notes: list[str]) -> sr.ContainerContentItem:
    """The answer in words and as one code, for readers that show text only (TID 1500 row 12)."""
    container = sr.ContainerContentItem(
        name=concept(codes.QUALITATIVE_EVALUATIONS), relationship_type=sr.RelationshipTypeValues.CONTAINS
    )
    items: list[sr.ContentItem] = [text_item(name, text) for name, text in summary.texts(result)]
    items.insert(1, code_item(codes.CAD_SUMMARY, summary.processing(result.images)))
    items += [text_item(codes.COMMENT, note) for note in notes]
    container.ContentSequence = sr.ContentSequence(items)
    return container


def _predecessors(result: StudyResult) -> list[Dataset] | None:
    """The report this one replaces (PS3.3 C.17.2)."""
    if result.predecessor is None:
        return None
    earlier = Dataset()
    earlier.SOPClassUID = result.predecessor.SOPClassUID
    earlier.SOPInstanceUID = result.predecessor.SOPInstanceUID
    earlier.SeriesInstanceUID = result.predecessor.SeriesInstanceUID
    earlier.StudyInstanceUID = result.study
    return [earlier]


def requests_of(sources: list[Dataset]) -> list[Dataset] | None:
    """The orders that any source says it fulfils (PS3.3 table C.17-2, Referenced Request Sequence)."""
    requests = [
        _request(item, source) for source in sources for item in source.get("RequestAttributesSequence") or ()
    ]
    distinct = [one for number, one in enumerate(requests) if one not in requests[:number]]
    return distinct or None


def _request(item: Dataset, source: Dataset) -> Dataset:
    request = Dataset()
    request.StudyInstanceUID = source.StudyInstanceUID
    request.ReferencedStudySequence = []
    request.AccessionNumber = item.get("AccessionNumber", source.AccessionNumber)
    request.PlacerOrderNumberImagingServiceRequest = ""
    request.FillerOrderNumberImagingServiceRequest = ""
    request.RequestedProcedureID = item.get("RequestedProcedureID", "")
    request.RequestedProcedureDescription = item.get("RequestedProcedureDescription", "")
    request.RequestedProcedureCodeSequence = item.get("RequestedProcedureCodeSequence", [])
    if "ReasonForTheRequestedProcedure" in item:
        request.ReasonForTheRequestedProcedure = item.ReasonForTheRequestedProcedure
    return request
