from __future__ import annotations

from dataclasses import replace
from io import BytesIO
from pathlib import Path

import pydicom
import pytest
from pydicom.uid import Comprehensive3DSRStorage, ComprehensiveSRStorage

from tests.unit.report.studies import SourceImage, a_finding, a_study, an_image, done, write_source
from wetread.domain import Box, ObjectKind
from wetread.errors import InvalidObject
from wetread.report import identity
from wetread.report.comprehensive import as_comprehensive, comprehensive_of
from wetread.report.encode import to_part10
from wetread.report.gate import check
from wetread.report.results import Predecessor, StudyResult
from wetread.report.structured_report import build_plain_report, build_report

BOX = Box(100, 150, 180, 260, 0.9)


@pytest.fixture
def first(tmp_path: Path) -> StudyResult:
    """A study with one box."""
    return a_study(an_image(write_source(tmp_path, SourceImage()), done(a_finding(0.87, BOX))))


@pytest.fixture
def second(first: StudyResult) -> StudyResult:
    """Its second revision."""
    ds = build_report(first).ds
    earlier = Predecessor(ds.SOPClassUID, ds.SOPInstanceUID, ds.SeriesInstanceUID)
    return a_study(*first.images, revision=2, predecessor=earlier)


def test_comprehensive_report_is_an_object_of_its_own_with_the_same_content(first: StudyResult) -> None:
    built = build_report(first)

    made = as_comprehensive(built)

    check(made, first)
    assert made.kind is ObjectKind.COMPREHENSIVE_REPORT
    assert made.ds.SOPClassUID == made.ds.file_meta.MediaStorageSOPClassUID == ComprehensiveSRStorage
    assert made.ds.SOPInstanceUID == made.ds.file_meta.MediaStorageSOPInstanceUID
    assert made.ds.SOPInstanceUID == identity.comprehensive_uid(built.ds.SOPInstanceUID)
    assert made.ds.SeriesInstanceUID != built.ds.SeriesInstanceUID
    assert made.ds.ContentSequence == built.ds.ContentSequence


def test_making_the_comprehensive_report_leaves_the_other_as_it_was(second: StudyResult) -> None:
    built = build_report(second)
    before = to_part10(built.ds)

    as_comprehensive(built)

    check(built, second)
    assert built.ds.SOPClassUID == built.ds.file_meta.MediaStorageSOPClassUID == Comprehensive3DSRStorage
    assert to_part10(built.ds) == before


def test_comprehensive_report_can_be_made_of_the_file_alone(second: StudyResult) -> None:
    built = build_report(second)
    stored = pydicom.dcmread(BytesIO(to_part10(built.ds)))

    made = comprehensive_of(stored)

    assert to_part10(made) == to_part10(as_comprehensive(built).ds)


def test_comprehensive_report_names_the_comprehensive_form_of_its_predecessor(
    first: StudyResult, second: StudyResult
) -> None:
    earlier = as_comprehensive(build_report(first)).ds

    made = as_comprehensive(build_report(second))

    check(made, second)
    series = made.ds.PredecessorDocumentsSequence[0].ReferencedSeriesSequence[0]
    reference = series.ReferencedSOPSequence[0]
    assert series.SeriesInstanceUID == earlier.SeriesInstanceUID
    assert reference.ReferencedSOPClassUID == earlier.SOPClassUID
    assert reference.ReferencedSOPInstanceUID == earlier.SOPInstanceUID


def test_comprehensive_report_names_the_3d_predecessor_where_no_other_was_made(second: StudyResult) -> None:
    assert second.predecessor is not None
    alone = replace(second, predecessor=replace(second.predecessor, has_comprehensive=False))
    built = build_report(alone)

    made = as_comprehensive(built, is_earlier_made=False)

    check(made, alone)
    assert made.ds.PredecessorDocumentsSequence == built.ds.PredecessorDocumentsSequence
    with pytest.raises(InvalidObject, match="the predecessor is not the earlier revision"):
        check(as_comprehensive(built), alone)


def test_comprehensive_form_of_a_plain_report_passes_the_gate(first: StudyResult) -> None:
    made = as_comprehensive(build_plain_report(first))

    check(made, first)

    assert made.is_plain
