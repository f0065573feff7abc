"""What a key object must be, given the study whose images it selects."""

from __future__ import annotations

from collections.abc import Iterator

from pydicom.dataset import Dataset
from pydicom.uid import KeyObjectSelectionDocumentStorage, SecondaryCaptureImageStorage

from wetread.domain import ObjectKind
from wetread.report import answer, codes, identity
from wetread.report.key_object import Reference, description_of, key_images, reference_of
from wetread.report.results import StudyResult


def key_object_defects(ds: Dataset, result: StudyResult) -> Iterator[str]:
    """Every way in which a key object is not what the study result calls for."""
    yield from _document_defects(ds, result)
    yield from _content_defects(ds)
    yield from _selection_defects(ds, result)
    texts = {_name(item): item.get("TextValue") for item in _of_type(ds, "TEXT")}
    if texts.get(codes.KEY_OBJECT_DESCRIPTION.value) != description_of(result):
        yield "the description does not say the answer"


def _document_defects(ds: Dataset, result: StudyResult) -> Iterator[str]:
    if ds.SOPClassUID != KeyObjectSelectionDocumentStorage or ds.Modality != "KO":
        yield "not a Key Object Selection Document"
    if ds.InstanceNumber != result.revision:
        yield "InstanceNumber is not the revision"
    if _name(ds) != codes.OF_INTEREST.value:
        yield "the title is not Of Interest"
    if [t.get("TemplateIdentifier") for t in ds.get("ContentTemplateSequence") or []] != ["2010"]:
        yield "the root template is not TID 2010"
    if ds.get("ValueType") != "CONTAINER" or ds.get("ContinuityOfContent") != "SEPARATE":
        yield "the root is not a container of separate items"
    if "ReferencedPerformedProcedureStepSequence" not in ds:
        yield "ReferencedPerformedProcedureStepSequence is missing"
    named = {item.get("DeviceUID") for item in ds.get("ContributingEquipmentSequence") or []}
    if named != {identity.device_uid(a.model) for i in result.images for a in answer.done(i)}:
        yield "the contributing equipment is not the networks that ran"


def _content_defects(ds: Dataset) -> Iterator[str]:
    if any("ConceptNameCodeSequence" in item for item in _of_type(ds, "IMAGE")):
        yield "an image has a concept name"
    if any(item.get("RelationshipType") != "CONTAINS" for item in _of_type(ds, "IMAGE")):
        yield "an image is not contained"
    observers = [item.get("UID") for item in _of_type(ds, "UIDREF")]
    if observers != [identity.OBSERVER_UID]:
        yield "the observer is not this software"


def _selection_defects(ds: Dataset, result: StudyResult) -> Iterator[str]:
    """What is shown, against what is to be; and what is listed, against what is shown."""
    shown = [
        (str(item.get("ReferencedSOPClassUID")), str(item.get("ReferencedSOPInstanceUID")))
        for image in _of_type(ds, "IMAGE")
        for item in image.get("ReferencedSOPSequence") or []
    ]
    listed = list(_listed(ds, result))
    images = key_images(result)
    sources = {reference_of(image) for image in images}
    forms: list[tuple[str, ...]] = [(), (identity.CARD,)]
    captures: set[Reference] = {
        (
            identity.image_series_uid(ObjectKind.CAPTURE, image),
            SecondaryCaptureImageStorage,
            identity.image_object_uid(ObjectKind.CAPTURE, image, *form),
        )
        for image in images
        for form in forms
    }
    if len(set(shown)) != len(shown):
        yield "an image is selected twice"
    if sorted(shown) != sorted((sop_class, instance) for _, sop_class, instance in listed):
        yield "what is selected is not what is listed as evidence"
    if not sources <= set(listed):
        yield "an image with a finding is not selected"
    if not set(listed) <= sources | captures:
        yield "selects what is neither an image with a finding nor its capture"


def _listed(ds: Dataset, result: StudyResult) -> Iterator[Reference]:
    for study in ds.get("CurrentRequestedProcedureEvidenceSequence") or []:
        is_ours = study.get("StudyInstanceUID") == result.study
        for series in study.get("ReferencedSeriesSequence") or []:
            uid = str(series.get("SeriesInstanceUID")) if is_ours else ""
            for item in series.get("ReferencedSOPSequence") or []:
                yield uid, str(item.get("ReferencedSOPClassUID")), str(item.get("ReferencedSOPInstanceUID"))


def _name(item: Dataset) -> str:
    names = item.get("ConceptNameCodeSequence") or []
    return str(names[0].get("CodeValue", "")) if names else ""


def _of_type(ds: Dataset, value_type: str) -> list[Dataset]:
    return [item for item in ds.get("ContentSequence") or [] if item.get("ValueType") == value_type]
