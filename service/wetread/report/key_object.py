"""The images that matter, and their captures: a Key Object Selection (PS3.3 A.35.4, PS3.16 TID 2010)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from highdicom import sr
from pydicom.dataset import Dataset
from pydicom.uid import KeyObjectSelectionDocumentStorage

from wetread.domain import SOFTWARE_VERSION, ObjectKind, ResultObject, Zone
from wetread.report import answer, codes, identity
from wetread.report.heading import heading
from wetread.report.items import concept, text_item
from wetread.report.results import BuiltObject, ImageResult, StudyResult
from wetread.report.source import quiet, source_of
from wetread.report.stamp import add_equipment, stamp

# Series, class and instance.
Reference = tuple[str, str, str]
_TEMPLATE: Final = "2010"


def is_called_for(study: StudyResult) -> bool:
    """Whether a study has a key object: something on it is positive."""
    return bool(key_images(study))


def key_images(study: StudyResult) -> list[ImageResult]:
    """The images with a positive finding; a doubtful one asks for a second look, not for a key image."""
    return [
        image
        for image in study.images
        if any(finding.zone is Zone.POSITIVE for finding in answer.findings_of(image))
    ]


def build_key_object(study: StudyResult, captures: Sequence[ResultObject]) -> BuiltObject:
    """Points at every image with a positive finding and at its capture, if it is among `captures`.

    Of those only plain captures count: every destination that gets key objects gets them too.
    Raises Unreadable when the source header cannot be read.
    """
    source, kind = source_of(study.images[0]), ObjectKind.KEY_OBJECT
    references = _references(key_images(study), captures)
    with quiet():
        ds = heading(study, kind, modality="KO")
        ds.SOPClassUID = KeyObjectSelectionDocumentStorage
        ds.SOPInstanceUID = identity.study_object_uid(kind, study)
        ds.InstanceNumber = study.revision
        ds.ReferencedPerformedProcedureStepSequence = []
        ds.CurrentRequestedProcedureEvidenceSequence = [_evidence(study, references)]
        _state(ds, study, references)
        add_equipment(ds, (a for image in study.images for a in answer.done(image)))
        stamp(ds, source=source, at=study.concluded_at)
    return BuiltObject(ds=ds, kind=kind, source=None)


def description_of(study: StudyResult) -> str:
    """What a key object says of itself."""
    return f"{answer.study_answer(study).text}. {answer.SAFETY_NOTE}."


def reference_of(image: ImageResult) -> Reference:
    """A source image as a reference."""
    header = image.instance.header
    return header.SeriesInstanceUID, header.SOPClassUID, header.SOPInstanceUID


def _references(images: Sequence[ImageResult], captures: Sequence[ResultObject]) -> list[Reference]:
    found: list[Reference] = []
    for image in images:
        found.append(reference_of(image))
        found += [
            (item.SeriesInstanceUID, item.SOPClassUID, item.SOPInstanceUID)
            for item in captures
            if item.kind is ObjectKind.CAPTURE and item.source == image.instance.header.SOPInstanceUID
        ]
    return found


def _evidence(study: StudyResult, references: Iterable[Reference]) -> Dataset:
    """All of them by series (PS3.3 table C.17-3)."""
    of_series: dict[str, list[Dataset]] = {}
    for series, sop_class, instance in references:
        of_series.setdefault(series, []).append(_named(sop_class, instance))
    item = Dataset()
    item.StudyInstanceUID = study.study
    item.ReferencedSeriesSequence = []
    for series, named in of_series.items():
        part = Dataset()
        part.SeriesInstanceUID = series
        part.ReferencedSOPSequence = named
        item.ReferencedSeriesSequence.append(part)
    return item


def _state(ds: Dataset, study: StudyResult, references: Iterable[Reference]) -> None:
    """The document's content (TID 2010): who selected, why, what."""
    ds.ValueType, ds.ContinuityOfContent = "CONTAINER", "SEPARATE"
    ds.ConceptNameCodeSequence = [concept(codes.OF_INTEREST)]
    template = Dataset()
    template.MappingResource, template.TemplateIdentifier = "DCMR", _TEMPLATE
    ds.ContentTemplateSequence = [template]
    ds.ContentSequence = [
        *_observer(),
        text_item(codes.KEY_OBJECT_DESCRIPTION, description_of(study)),
        *(_image_item(sop_class, instance) for _, sop_class, instance in references),
    ]


def _observer() -> list[Dataset]:
    """A device selected them: this software (TID 1002, TID 1004)."""
    device = sr.DeviceObserverIdentifyingAttributes(
        uid=identity.OBSERVER_UID,
        name=identity.MODEL_NAME,
        manufacturer_name=identity.MANUFACTURER,
        model_name=f"{identity.MODEL_NAME} {SOFTWARE_VERSION}",
    )
    context = sr.ObserverContext(observer_type=concept(codes.DEVICE), observer_identifying_attributes=device)
    return list(context)


def _image_item(sop_class: str, instance: str) -> Dataset:
    """An image without a concept name: the template gives none (TID 2010 row 7)."""
    item = Dataset()
    item.RelationshipType, item.ValueType = "CONTAINS", "IMAGE"
    item.ReferencedSOPSequence = [_named(sop_class, instance)]
    return item


def _named(sop_class: str, instance: str) -> Dataset:
    item = Dataset()
    item.ReferencedSOPClassUID, item.ReferencedSOPInstanceUID = sop_class, instance
    return item
