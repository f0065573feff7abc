"""The last look at an object before it is sent: nothing invalid leaves.

Validators written elsewhere miss what matters most to a patient: a reference to another image, a box
beside it, a probability that is not the ledger's. So each object is compared with the result it was
built from, value by value.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, TypeAlias

from pydicom.dataset import Dataset

from wetread.domain import ObjectKind
from wetread.errors import InvalidObject
from wetread.report import answer, identity
from wetread.report.gate_capture import capture_defects
from wetread.report.gate_heat_map import heat_map_defects
from wetread.report.gate_key_object import key_object_defects
from wetread.report.gate_presentation import presentation_defects
from wetread.report.gate_report import report_defects
from wetread.report.results import BuiltObject, ImageResult, Proof, StudyResult
from wetread.report.source import ledger_source, quiet, source_of

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
# Characters at most, by value representation (PS3.5 table 6.2-1).
_LONGEST: Final = {
    "AE": 16,
    "CS": 16,
    "SH": 16,
    "LO": 64,
    "DS": 16,
    "IS": 12,
    "UI": 64,
    "ST": 1024,
    "LT": 10240,
}
_FORM: Final = {
    # Components with leading zeros are not allowed, yet sources have them, and a reference must match.
    "UI": re.compile(r"\d+(\.\d+)+"),
    "DA": re.compile(r"\d{8}"),
    "TM": re.compile(r"([01]\d|2[0-3])([0-5]\d([0-5]\d(\.\d{1,6})?)?)?"),
    "CS": re.compile(r"[A-Z0-9 _]+"),
}


@dataclass(frozen=True, slots=True)
class _Case:
    """What an object is compared with; `image` and `source` are those that lend patient and study."""

    kind: ObjectKind
    result: StudyResult
    image: ImageResult
    source: Dataset
    proof: Proof


_Defects: TypeAlias = Callable[[Dataset, _Case], Iterator[str]]
_DEFECTS: Final[Mapping[ObjectKind, _Defects]] = MappingProxyType(
    {
        ObjectKind.STRUCTURED_REPORT: lambda ds, case: report_defects(ds, case.result),
        ObjectKind.COMPREHENSIVE_REPORT: lambda ds, case: report_defects(ds, case.result),
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


def check(built: BuiltObject, result: StudyResult) -> None:
    """Raise InvalidObject, saying every defect, unless the object is what the result calls for.

    Looks at required tags and their values, identity, references, coordinates, pixels, and whether what
    is said is what was found. Raises Unreadable when a source cannot be read again.
    """
    with quiet():
        defects = list(_defects(built, result))
    if defects:
        raise InvalidObject(f"{built.kind.value}: {'; '.join(defects)}")


def _defects(built: BuiltObject, result: StudyResult) -> Iterator[str]:
    ds = built.ds
    moment = _PRESENTATION if built.kind is ObjectKind.PRESENTATION_STATE else _CONTENT
    missing = [keyword for keyword in (*_FILLED, *moment) if ds.get(keyword) in (None, "")]
    missing += [keyword for keyword in _PRESENT if keyword not in ds]
    if missing:
        yield f"missing {', '.join(missing)}"
        return
    yield from _value_defects(ds)
    yield from _meta_defects(ds)
    image = _source_of(built, result)
    if image is None:
        yield "shows an image that is not of this study"
        return
    source = ledger_source(image) if built.is_plain else source_of(image)
    case = _Case(built.kind, result, image, source, built.proof)
    yield from _identity_defects(ds, case)
    yield from _DEFECTS[built.kind](ds, case)


def _source_of(built: BuiltObject, result: StudyResult) -> ImageResult | None:
    """The image that lends patient and study: the study's first, or the one that the object is about."""
    if built.kind in _OF_STUDY:
        return result.images[0]
    of_source = (i for i in result.images if i.instance.header.SOPInstanceUID == built.source)
    return next(of_source, None)


def _identity_defects(ds: Dataset, case: _Case) -> Iterator[str]:
    if ds.SOPInstanceUID not in _derived_uids(case):
        yield "SOPInstanceUID is not the one derived from the result"
    if ds.SeriesInstanceUID != _series_uid(case):
        yield "SeriesInstanceUID is not the one derived from study and kind"
    if ds.StudyInstanceUID != case.result.study:
        yield "StudyInstanceUID is not the study's"
    for keyword in (*_PRESENT, "StudyInstanceUID"):
        if str(ds[keyword].value or "") != str(case.source[keyword].value or ""):
            yield f"{keyword} differs from the source"


def _series_uid(case: _Case) -> str:
    if case.kind in _OF_STUDY:
        return identity.series_uid(case.result.study, case.kind)
    return identity.image_series_uid(case.kind, case.image)


def _derived_uids(case: _Case) -> set[str]:
    """Every UID that an object of this kind may have here: one, save where an image has several objects."""
    if case.kind in _OF_STUDY:
        return {identity.study_object_uid(case.kind, case.result)}
    if case.kind is ObjectKind.HEAT_MAP:
        pairs = ((a.model, finding) for a in answer.done(case.image) for finding in a.findings)
        return {identity.heat_map_uid(case.image, *pair) for pair in pairs if pair[1].heat_map}
    return {identity.image_object_uid(case.kind, case.image)}


def _meta_defects(ds: Dataset) -> Iterator[str]:
    meta = ds.file_meta
    if meta.MediaStorageSOPInstanceUID != ds.SOPInstanceUID or meta.MediaStorageSOPClassUID != ds.SOPClassUID:
        yield "file meta information names another object"
    if ds.SpecificCharacterSet != "ISO_IR 192":
        yield "SpecificCharacterSet is not ISO_IR 192"


def _value_defects(ds: Dataset) -> Iterator[str]:
    """Length and form of every value, at every depth; names and values are never quoted."""
    for element in ds.iterall():
        longest, form = _LONGEST.get(element.VR), _FORM.get(element.VR)
        if longest is None and form is None:
            continue
        values = element.value if element.VM > 1 else [element.value]
        for value in values:
            text = "" if value is None else str(value)
            if longest is not None and len(text) > longest:
                yield f"{element.keyword} is longer than {longest} characters"
            if text and form is not None and not form.fullmatch(text):
                yield f"{element.keyword} is not a valid {element.VR}"
