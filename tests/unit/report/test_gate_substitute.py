from __future__ import annotations

from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import pydicom
import pytest
from pydicom.dataset import Dataset

from tests.unit.report.studies import SourceImage, a_finding, a_study, an_image, done, write_source
from wetread.domain import Box
from wetread.errors import InvalidObject
from wetread.report.comprehensive import as_comprehensive
from wetread.report.encode import to_part10
from wetread.report.gate_substitute import check_substitute
from wetread.report.results import BuiltObject, Predecessor
from wetread.report.structured_report import build_report


@pytest.fixture
def report(tmp_path: Path) -> BuiltObject:
    """A second revision's report with one box."""
    image = an_image(
        write_source(tmp_path, SourceImage()), done(a_finding(0.87, Box(100, 150, 180, 260, 0.9)))
    )
    ds = build_report(a_study(image)).ds
    earlier = Predecessor(ds.SOPClassUID, ds.SOPInstanceUID, ds.SeriesInstanceUID)
    return build_report(a_study(image, revision=2, predecessor=earlier))


def read_back(ds: Dataset) -> Dataset:
    return pydicom.dcmread(BytesIO(to_part10(ds)))


def test_the_older_form_of_a_report_passes(report: BuiltObject) -> None:
    check_substitute(read_back(as_comprehensive(report).ds), read_back(report.ds))


def another_uid(ds: Dataset) -> None:
    ds.SOPInstanceUID = ds.file_meta.MediaStorageSOPInstanceUID = "2.25.1"


def another_series(ds: Dataset) -> None:
    ds.SeriesInstanceUID = "2.25.1"


def another_patient(ds: Dataset) -> None:
    ds.PatientName = "Doe^Jane"


def a_lost_attribute(ds: Dataset) -> None:
    del ds.AccessionNumber


def an_added_attribute(ds: Dataset) -> None:
    ds.StudyComments = "more"


def another_answer(ds: Dataset) -> None:
    next(item for item in ds.iterall() if item.keyword == "NumericValue").value = "0.1"


def a_lost_item(ds: Dataset) -> None:
    del ds.ContentSequence[-1]


def another_predecessor(ds: Dataset) -> None:
    [series] = ds.PredecessorDocumentsSequence[0].ReferencedSeriesSequence
    series.ReferencedSOPSequence[0].ReferencedSOPInstanceUID = "2.25.1"


def a_coordinate_in_space(ds: Dataset) -> None:
    next(item for item in ds.iterall() if item.keyword == "ValueType").value = "SCOORD3D"


@pytest.mark.parametrize(
    ("defect", "said"),
    [
        (another_uid, "SOPInstanceUID is not its own"),
        (another_series, "SeriesInstanceUID is not its own"),
        (another_patient, "PatientName differs"),
        (a_lost_attribute, "AccessionNumber differs"),
        (an_added_attribute, "StudyComments differs"),
        (another_answer, "ContentSequence differs"),
        (a_lost_item, "ContentSequence differs"),
        (another_predecessor, "the predecessor is not the report's"),
        (a_coordinate_in_space, "a coordinate in space"),
    ],
)
def test_an_older_form_that_says_anything_else_does_not_leave(
    report: BuiltObject, defect: Callable[[Dataset], None], said: str
) -> None:
    made = read_back(as_comprehensive(report).ds)
    defect(made)

    with pytest.raises(InvalidObject, match=said) as caught:
        check_substitute(made, read_back(report.ds))

    assert "Doe" not in str(caught.value)


def test_an_older_form_whose_meta_information_names_another_object_does_not_leave(
    report: BuiltObject,
) -> None:
    made = read_back(as_comprehensive(report).ds)
    made.file_meta.MediaStorageSOPClassUID = report.ds.SOPClassUID

    with pytest.raises(InvalidObject, match="file meta information"):
        check_substitute(made, read_back(report.ds))
