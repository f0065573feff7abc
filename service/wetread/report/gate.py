"""The last look at an object before it is sent: nothing invalid leaves.

Validators written elsewhere miss what matters most to a patient: a reference to another image, a box
beside it, a probability that is not the ledger's. So each object is compared with the result it was
built from, value by value.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, TypeAlias

from pydicom.dataset import Dataset

from wetread.domain import Box, ObjectKind
from wetread.errors import InvalidObject
from wetread.report import answer, identity
from wetread.report.gate_capture import capture_defects
from wetread.report.gate_elements import element_defects
from wetread.report.gate_heat_map import heat_map_defects
from wetread.report.gate_key_object import key_object_defects
from wetread.report.gate_presentation import presentation_defects
from wetread.report.gate_report import report_defects
from wetread.report.gate_stamp import equipment_defects, stamp_defects
from wetread.report.measurement_group import whole_image
from wetread.report.results import BuiltObject, ImageResult, Proof, StudyResult
from wetread.report.source import Sources, ledger_source, quiet, source_of

# Type 1 in every object we make, and type 2: there, perhaps empty (PS3.3 C.7.1.1, C.7.2.1, C.12.1).
_FILLED: Final = (
    "SOPClassUID", "SOPInstanceUID", "StudyInstanceUID", "SeriesInstanceUID", "Modality", "Manufacturer",
    "SeriesNumber", "InstanceNumber", "SpecificCharacterSet", "TimezoneOffsetFromUTC",
)  # fmt: skip
_CONTENT: Final = ("ContentDate", "ContentTime")
_PRESENTATION: Final = ("PresentationCreationDate", "PresentationCreationTime")
_PRESENT: Final = (
    "PatientName", "PatientID", "PatientBirthDate", "PatientSex", "StudyDate", "StudyTime", "AccessionNumber",
    "ReferringPhysicianName", "StudyID",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Case:
    """What an object is compared with; `image` and `source` are those that lend patient and study."""

    kind: ObjectKind
    result: StudyResult
    image: ImageResult
    source: Dataset
    is_plain: bool
    read: Sources
    proof: Proof

    @property
    def images(self) -> tuple[ImageResult, ...]:
        """Those whose answer the object gives."""
        return self.result.images if self.kind in _OF_STUDY else (self.image,)


_Defects: TypeAlias = Callable[[Dataset, _Case], Iterator[str]]
_DEFECTS: Final[Mapping[ObjectKind, _Defects]] = MappingProxyType(
    {
        ObjectKind.STRUCTURED_REPORT: lambda ds, case: _report_defects(ds, case),
        ObjectKind.COMPREHENSIVE_REPORT: lambda ds, case: _report_defects(ds, case),
        ObjectKind.CAPTURE: lambda ds, case: capture_defects(
            ds, case.image, case.source, kind=case.kind, proof=case.proof
        ),
        ObjectKind.HEAT_MAP_CAPTURE: lambda ds, case: capture_defects(
            ds, case.image, case.source, kind=case.kind, proof=case.proof
        ),
        ObjectKind.PRESENTATION_STATE: lambda ds, case: presentation_defects(
            ds, case.image, case.source, proof=case.proof
        ),
        ObjectKind.KEY_OBJECT: lambda ds, case: key_object_defects(ds, case.result),
        ObjectKind.HEAT_MAP: lambda ds, case: heat_map_defects(ds, case.image, case.source, proof=case.proof),
    }
)
_OF_STUDY: Final = frozenset(
    {ObjectKind.STRUCTURED_REPORT, ObjectKind.COMPREHENSIVE_REPORT, ObjectKind.KEY_OBJECT}
)


def check(built: BuiltObject, result: StudyResult, *, sources: Sources = source_of) -> None:
    """Raise InvalidObject, saying every defect, unless the object is what the result calls for.

    Looks at required tags and their values, identity, references, coordinates, pixels, and whether what
    is said is what was found. `sources` gives an image's header: whoever checks several objects of one
    revision passes one `reading_once`. Raises Unreadable when a source cannot be read again.
    """
    with quiet():
        defects = list(_defects(built, result, sources))
    if defects:
        raise InvalidObject(f"{built.kind.value}: {'; '.join(defects)}")


def _defects(built: BuiltObject, result: StudyResult, sources: Sources) -> Iterator[str]:
    ds = built.ds
    moment = _PRESENTATION if built.kind is ObjectKind.PRESENTATION_STATE else _CONTENT
    missing = [keyword for keyword in (*_FILLED, *moment) if ds.get(keyword) in (None, "")]
    missing += [keyword for keyword in _PRESENT if keyword not in ds]
    if missing:
        yield f"missing {', '.join(missing)}"
        return
    yield from element_defects(ds, built.kind)
    yield from _meta_defects(ds)
    image = _source_of(built, result)
    if image is None:
        yield "shows an image that is not of this study"
        return
    read = ledger_source if built.is_plain else sources
    case = _Case(built.kind, result, image, read(image), built.is_plain, read, built.proof)
    yield from _answer_defects(case.images)
    yield from _identity_defects(ds, case)
    yield from stamp_defects(ds, case.kind, source=case.source, at=result.concluded_at)
    if case.kind is not ObjectKind.HEAT_MAP:
        yield from equipment_defects(ds, (a.model for i in case.images for a in answer.done(i)))
    yield from _DEFECTS[built.kind](ds, case)


def _source_of(built: BuiltObject, result: StudyResult) -> ImageResult | None:
    """The image that lends patient and study: the study's first, or the one that the object is about."""
    if built.kind in _OF_STUDY:
        return result.images[0]
    of_source = (i for i in result.images if i.instance.header.SOPInstanceUID == built.source)
    return next(of_source, None)


def _report_defects(ds: Dataset, case: _Case) -> Iterator[str]:
    return report_defects(ds, case.result, [case.read(image) for image in case.result.images])


def _answer_defects(images: Sequence[ImageResult]) -> Iterator[str]:
    """What no object can say: a chance that is none, a box that is nowhere on its image."""
    for image in images:
        whole = whole_image(image)
        for finding in (finding for a in answer.done(image) for finding in a.findings):
            chances = (finding.probability, *(box.probability for box in finding.boxes))
            if not all(0 <= chance <= 1 for chance in chances):
                yield "a probability is not within 0 to 1"
            if not all(_is_on(box, whole) for box in finding.boxes):
                yield "a box is empty, turned round or beside the image"


def _is_on(box: Box, whole: Box) -> bool:
    wide = min(box.right, whole.right) - max(box.left, whole.left)
    high = min(box.bottom, whole.bottom) - max(box.top, whole.top)
    return wide > 0 and high > 0


def _identity_defects(ds: Dataset, case: _Case) -> Iterator[str]:
    if ds.SOPInstanceUID not in _derived_uids(case):
        yield "SOPInstanceUID is not the one derived from the result"
    if ds.SeriesInstanceUID != _series_uid(case):
        yield "SeriesInstanceUID is not the one derived from study and kind"
    if ds.StudyInstanceUID != case.result.study:
        yield "StudyInstanceUID is not the study's"


def _series_uid(case: _Case) -> str:
    if case.kind in _OF_STUDY:
        return identity.series_uid(case.result.study, case.kind)
    return identity.image_series_uid(case.kind, case.image)


def _derived_uids(case: _Case) -> set[str]:
    """Every UID that an object of this kind may have here: one, save where an image has several objects."""
    if case.kind in _OF_STUDY:
        form = (identity.PLAIN,) if case.is_plain else ()
        return {identity.study_object_uid(case.kind, case.result, *form)}
    if case.kind is ObjectKind.HEAT_MAP:
        pairs = ((a.model, finding) for a in answer.done(case.image) for finding in a.findings)
        return {identity.heat_map_uid(case.image, *pair) for pair in pairs if pair[1].heat_map}
    forms: list[tuple[str, ...]] = [()]
    if case.kind is ObjectKind.CAPTURE:
        forms.append((identity.CARD,))
    return {identity.image_object_uid(case.kind, case.image, *form) for form in forms}


def _meta_defects(ds: Dataset) -> Iterator[str]:
    meta = ds.file_meta
    if meta.MediaStorageSOPInstanceUID != ds.SOPInstanceUID or meta.MediaStorageSOPClassUID != ds.SOPClassUID:
        yield "file meta information names another object"
    if ds.SpecificCharacterSet != "ISO_IR 192":
        yield "SpecificCharacterSet is not ISO_IR 192"
