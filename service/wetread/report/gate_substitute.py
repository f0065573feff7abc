"""Whether a report in its older form says what the report says that passed the gate."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from pydicom.dataset import Dataset
from pydicom.uid import Comprehensive3DSRStorage, ComprehensiveSRStorage

from wetread.domain import ObjectKind, StudyUid
from wetread.errors import InvalidObject
from wetread.report import identity
from wetread.report.source import quiet

# What the two forms have each of its own.
_PREDECESSORS: Final = "PredecessorDocumentsSequence"
_OWN: Final = frozenset({"SOPClassUID", "SOPInstanceUID", "SeriesInstanceUID", "SeriesNumber", _PREDECESSORS})
_ONLY_3D: Final = "SCOORD3D"


def check_substitute(made: Dataset, report: Dataset) -> None:
    """Raise InvalidObject, saying every defect, unless `made` is `report` as a Comprehensive SR.

    Both as read back from a file. `report` has passed the gate: all but class, UIDs, series and predecessor
    must be equal in both, and nothing may stand there that the class has no place for (PS3.3 A.35.3).
    """
    with quiet():
        defects = list(_defects(made, report))
    if defects:
        raise InvalidObject(f"{ObjectKind.COMPREHENSIVE_REPORT.value}: {'; '.join(defects)}")


def _defects(made: Dataset, report: Dataset) -> Iterator[str]:
    kind = ObjectKind.COMPREHENSIVE_REPORT
    own = {
        "SOPClassUID": ComprehensiveSRStorage,
        "SOPInstanceUID": identity.comprehensive_uid(str(report.SOPInstanceUID)),
        "SeriesInstanceUID": identity.series_uid(StudyUid(str(report.StudyInstanceUID)), kind),
        "SeriesNumber": identity.SERIES_NUMBER[kind],
    }
    yield from (f"{keyword} is not its own" for keyword, value in own.items() if made.get(keyword) != value)
    meta = made.file_meta
    if (
        meta.MediaStorageSOPInstanceUID != made.SOPInstanceUID
        or meta.MediaStorageSOPClassUID != made.SOPClassUID
    ):
        yield "file meta information names another object"
    for tag in sorted(made.keys() | report.keys()):
        keyword = (made if tag in made else report)[tag].keyword
        if keyword not in _OWN and made.get(tag) != report.get(tag):
            yield f"{keyword} differs from the report's"
    if _named(made) != [_older(*names) for names in _named(report)]:
        yield "the predecessor is not the report's in its older form"
    if any(element.keyword == "ValueType" and element.value == _ONLY_3D for element in made.iterall()):
        yield "a coordinate in space stands in a class that has none"


def _named(ds: Dataset) -> list[tuple[str, str]]:
    """The earlier reports by class and UID."""
    return [
        (str(reference.ReferencedSOPClassUID), str(reference.ReferencedSOPInstanceUID))
        for item in ds.get(_PREDECESSORS) or ()
        for series in item.ReferencedSeriesSequence
        for reference in series.ReferencedSOPSequence
    ]


def _older(sop_class_uid: str, uid: str) -> tuple[str, str]:
    if sop_class_uid != Comprehensive3DSRStorage:
        return sop_class_uid, uid
    return ComprehensiveSRStorage, identity.comprehensive_uid(uid)
