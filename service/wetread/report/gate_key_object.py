"""What a key object must be, given the study whose images it selects."""

from __future__ import annotations

from collections.abc import Iterator

from pydicom.dataset import Dataset
from pydicom.uid import KeyObjectSelectionDocumentStorage, SecondaryCaptureImageStorage

from wetread.domain import ObjectKind
from wetread.report import codes, identity
from wetread.report.content import name_of, named, of_type
from wetread.report.gate_tree import KEY_OBJECT, code_defects, observer_defects, read_item, row_defects
from wetread.report.key_object import Reference, description_of, key_images, reference_of
from wetread.report.results import StudyResult


def key_object_defects(ds: Dataset, result: StudyResult) -> Iterator[str]:
    """Every way in which a key object is not what the study result calls for."""
    yield from _document_defects(ds, result)
    root = read_item(ds)
    yield from row_defects(root, KEY_OBJECT, where="the root")
    yield from observer_defects(ds)
    yield from code_defects(root, findings=())
    yield from _selection_defects(ds, result)
    if named(ds, codes.KEY_OBJECT_DESCRIPTION).get("TextValue") != description_of(result):
        yield "the description does not say the answer"


def _document_defects(ds: Dataset, result: StudyResult) -> Iterator[str]:
    if ds.SOPClassUID != KeyObjectSelectionDocumentStorage or ds.Modality != "KO":
        yield "not a Key Object Selection Document"
    if ds.InstanceNumber != result.revision:
        yield "InstanceNumber is not the revision"
    if name_of(ds) != codes.OF_INTEREST.value:
        yield "the title is not Of Interest"
    if [t.get("TemplateIdentifier") for t in ds.get("ContentTemplateSequence") or []] != ["2010"]:
        yield "the root template is not TID 2010"
    if ds.get("ValueType") != "CONTAINER" or ds.get("ContinuityOfContent") != "SEPARATE":
        yield "the root is not a container of separate items"
    if "ReferencedPerformedProcedureStepSequence" not in ds:
        yield "ReferencedPerformedProcedureStepSequence is missing"


def _selection_defects(ds: Dataset, result: StudyResult) -> Iterator[str]:
    """What is shown, against what is to be; and what is listed, against what is shown."""
    shown = [
        (str(item.get("ReferencedSOPClassUID")), str(item.get("ReferencedSOPInstanceUID")))
        for image in of_type(ds, "IMAGE")
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
        yield "an image with a positive finding is not selected"
    if not set(listed) <= sources | captures:
        yield "selects what is neither an image with a positive finding nor its capture"


def _listed(ds: Dataset, result: StudyResult) -> Iterator[Reference]:
    for study in ds.get("CurrentRequestedProcedureEvidenceSequence") or []:
        is_ours = study.get("StudyInstanceUID") == result.study
        for series in study.get("ReferencedSeriesSequence") or []:
            uid = str(series.get("SeriesInstanceUID")) if is_ours else ""
            for item in series.get("ReferencedSOPSequence") or []:
                yield uid, str(item.get("ReferencedSOPClassUID")), str(item.get("ReferencedSOPInstanceUID"))
