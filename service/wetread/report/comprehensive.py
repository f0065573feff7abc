"""Stand-in until engineer SR's own is merged: the same report as Comprehensive SR (PS3.3 A.35.3)."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import replace

from wetread.domain import ObjectKind
from wetread.report.identity import SERIES_NUMBER, derive_uid
from wetread.report.results import BuiltObject

_CLASS = "1.2.840.10008.5.1.4.1.1.88.33"


def as_comprehensive(built: BuiltObject) -> BuiltObject:
    """The same content as Comprehensive SR; its UIDs are derived from the 3D report's."""
    ds = deepcopy(built.ds)
    kind = ObjectKind.COMPREHENSIVE_REPORT
    ds.SOPClassUID = _CLASS
    ds.SOPInstanceUID = derive_uid(kind.value, str(built.ds.SOPInstanceUID))
    ds.SeriesInstanceUID = derive_uid(kind.value, str(built.ds.SeriesInstanceUID))
    ds.SeriesNumber = SERIES_NUMBER[kind]
    ds.file_meta.MediaStorageSOPClassUID = ds.SOPClassUID
    ds.file_meta.MediaStorageSOPInstanceUID = ds.SOPInstanceUID
    return replace(built, ds=ds, kind=kind)
