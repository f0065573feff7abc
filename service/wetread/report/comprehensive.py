"""The report once more as a Comprehensive SR, for archives that do not take the Comprehensive 3D class.

Our reports hold no 3D coordinates, so the content is valid in both (PS3.3 A.35.3, A.35.13).
"""

from __future__ import annotations

import copy
from dataclasses import replace

from pydicom.datadict import dictionary_VR
from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import Comprehensive3DSRStorage, ComprehensiveSRStorage

from wetread.domain import ObjectKind, StudyUid
from wetread.report import identity
from wetread.report.results import BuiltObject
from wetread.report.source import quiet

_KIND = ObjectKind.COMPREHENSIVE_REPORT


def as_comprehensive(built: BuiltObject, *, is_earlier_made: bool = True) -> BuiltObject:
    """The same report in the other class, as an object of its own; arguments as `comprehensive_of`."""
    return replace(built, ds=comprehensive_of(built.ds, is_earlier_made=is_earlier_made), kind=_KIND)


def comprehensive_of(report: Dataset, *, is_earlier_made: bool = True) -> Dataset:
    """What `as_comprehensive` gives, of the data set alone, such as one read back from a file.

    `report`, a Comprehensive 3D SR of ours with file meta information, stays as it is; the two share
    what is the same in both. UIDs, the predecessor's too, follow from those of `report`. Where the
    predecessor was not made in this class (`is_earlier_made`), its Comprehensive 3D form stays named.
    """
    with quiet():
        made = Dataset()
        made.update(report)
        study = StudyUid(str(report.StudyInstanceUID))
        _put(made, "SOPClassUID", ComprehensiveSRStorage)
        _put(made, "SOPInstanceUID", identity.comprehensive_uid(str(report.SOPInstanceUID)))
        _put(made, "SeriesInstanceUID", identity.series_uid(study, _KIND))
        _put(made, "SeriesNumber", identity.SERIES_NUMBER[_KIND])
        if is_earlier_made and "PredecessorDocumentsSequence" in report:
            _put(made, "PredecessorDocumentsSequence", _mapped(report.PredecessorDocumentsSequence, study))
        made.file_meta = FileMetaDataset()
        made.file_meta.update(report.file_meta)
        _put(made.file_meta, "MediaStorageSOPClassUID", made.SOPClassUID)
        _put(made.file_meta, "MediaStorageSOPInstanceUID", made.SOPInstanceUID)
    return made


def _mapped(predecessors: list[Dataset], study: StudyUid) -> list[Dataset]:
    """The earlier reports in their Comprehensive form."""
    made = copy.deepcopy(list(predecessors))
    for series in (series for item in made for series in item.ReferencedSeriesSequence):
        for reference in series.ReferencedSOPSequence:
            if reference.ReferencedSOPClassUID == Comprehensive3DSRStorage:
                series.SeriesInstanceUID = identity.series_uid(study, _KIND)
                reference.ReferencedSOPClassUID = ComprehensiveSRStorage
                reference.ReferencedSOPInstanceUID = identity.comprehensive_uid(
                    str(reference.ReferencedSOPInstanceUID)
                )
    return made


def _put(ds: Dataset, keyword: str, value: object) -> None:
    """A new element: setting a value would change the one that both data sets hold."""
    element = DataElement(keyword, dictionary_VR(keyword), value)
    ds[element.tag] = element
