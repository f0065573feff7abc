"""Planted defects: each one must be caught, and what is not broken must pass."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from dataclasses import replace
from pathlib import Path

import pytest
from pydicom.dataset import Dataset

from tests.unit.report.studies import (
    SourceImage,
    a_display,
    a_finding,
    a_study,
    an_image,
    done,
    write_source,
)
from wetread.domain import Box
from wetread.errors import InvalidObject
from wetread.report.capture import build_capture
from wetread.report.gate import check
from wetread.report.results import BuiltObject, StudyResult
from wetread.report.structured_report import build_report

BOX, OTHER_BOX = Box(100, 150, 180, 260, 0.9), Box(300, 400, 420, 520, 0.7)
Mutation = Callable[[Dataset], None]

# Some defects are values that pydicom warns of when they are planted.
pytestmark = pytest.mark.filterwarnings("ignore:.*:UserWarning:pydicom")


@pytest.fixture
def study(tmp_path: Path) -> StudyResult:
    """Two views: two boxes on one, none on the other."""
    front = an_image(write_source(tmp_path, SourceImage(name="front")), done(a_finding(0.87, BOX, OTHER_BOX)))
    side = an_image(write_source(tmp_path, SourceImage(name="side")), done(a_finding(0.03)))
    return a_study(front, side)


def group_of(ds: Dataset, number: int) -> Dataset:
    body = next(i for i in ds.ContentSequence if i.ConceptNameCodeSequence[0].CodeValue == "126010")
    group: Dataset = body.ContentSequence[number]
    return group


def item_of(group: Dataset, value_type: str, name: str = "") -> Dataset:
    found: Dataset = next(
        i
        for i in group.ContentSequence
        if i.ValueType == value_type and (not name or i.ConceptNameCodeSequence[0].CodeValue == name)
    )
    return found


def without(group: Dataset, value_type: str, name: str = "") -> None:
    group.ContentSequence.remove(item_of(group, value_type, name))


def region_of(ds: Dataset, number: int = 0) -> Dataset:
    return item_of(group_of(ds, number), "SCOORD")


def set_points(ds: Dataset, points: list[float]) -> None:
    region_of(ds).GraphicData = points


def point_elsewhere(ds: Dataset) -> None:
    item_of(region_of(ds), "IMAGE").ReferencedSOPSequence[0].ReferencedSOPInstanceUID = "2.25.1"


def point_at_the_other_view(ds: Dataset) -> None:
    other = item_of(region_of(ds, 2), "IMAGE").ReferencedSOPSequence[0].ReferencedSOPInstanceUID
    item_of(region_of(ds), "IMAGE").ReferencedSOPSequence[0].ReferencedSOPInstanceUID = other


def share_tracking_uid(ds: Dataset) -> None:
    first = item_of(group_of(ds, 0), "UIDREF", "112040")
    item_of(group_of(ds, 1), "UIDREF", "112040").UID = first.UID


def lesion_last(ds: Dataset) -> None:
    body = next(i for i in ds.ContentSequence if i.ConceptNameCodeSequence[0].CodeValue == "126010")
    body.ContentSequence.append(body.ContentSequence.pop(0))


def drop_group(ds: Dataset) -> None:
    body = next(i for i in ds.ContentSequence if i.ConceptNameCodeSequence[0].CodeValue == "126010")
    body.ContentSequence.pop(2)


def drop_evidence(ds: Dataset) -> None:
    ds.CurrentRequestedProcedureEvidenceSequence[0].ReferencedSeriesSequence[0].ReferencedSOPSequence.pop()


def evidence_of_another_series(ds: Dataset) -> None:
    ds.CurrentRequestedProcedureEvidenceSequence[0].ReferencedSeriesSequence[0].SeriesInstanceUID = "2.25.1"


def evidence_of_another_class(ds: Dataset) -> None:
    series = ds.CurrentRequestedProcedureEvidenceSequence[0].ReferencedSeriesSequence[0]
    series.ReferencedSOPSequence[0].ReferencedSOPClassUID = "1.2.840.10008.5.1.4.1.1.7"


def say_absent(ds: Dataset) -> None:
    item_of(group_of(ds, 0), "CODE", "125605004").ConceptCodeSequence[0].CodeValue = "272519000"


def say_more_probable(ds: Dataset) -> None:
    item_of(group_of(ds, 0), "NUM").MeasuredValueSequence[0].NumericValue = "97.0"


def say_another_conclusion(ds: Dataset) -> None:
    summary = next(i for i in ds.ContentSequence if i.ConceptNameCodeSequence[0].CodeValue == "C0034375")
    item_of(summary, "TEXT", "121077").TextValue = "NO FINDINGS"


def forget_the_safety_note(ds: Dataset) -> None:
    summary = next(i for i in ds.ContentSequence if i.ConceptNameCodeSequence[0].CodeValue == "C0034375")
    without(summary, "TEXT", "121106")


def set_to(keyword: str, value: object) -> Mutation:
    """A mutation that overwrites one attribute."""

    def mutate(ds: Dataset) -> None:
        setattr(ds, keyword, value)

    return mutate


def delete(keyword: str) -> Mutation:
    """A mutation that removes one attribute."""

    def mutate(ds: Dataset) -> None:
        delattr(ds, keyword)

    return mutate


COMMON: dict[str, Mutation] = {
    "another study": set_to("StudyInstanceUID", "2.25.1"),
    "another series": set_to("SeriesInstanceUID", "2.25.1"),
    "drawn UID": set_to("SOPInstanceUID", "2.25.1"),
    "another patient": set_to("PatientID", "QC-2"),
    "another name": set_to("PatientName", "Other^Patient"),
    "another accession": set_to("AccessionNumber", "A2"),
    "no type 2": delete("ReferringPhysicianName"),
    "no type 1": delete("Manufacturer"),
    "no time zone": delete("TimezoneOffsetFromUTC"),
    "too long": set_to("SeriesDescription", "x" * 65),
    "no such date": set_to("ContentDate", "2026-01-01"),
    "other character set": set_to("SpecificCharacterSet", "ISO_IR 100"),
}
REPORT: dict[str, Mutation] = {
    "open polyline": lambda ds: set_points(ds, [100, 150, 180, 150, 180, 260, 100, 260]),
    "outside the image": lambda ds: set_points(ds, [100, 150, 900, 150, 900, 260, 100, 260, 100, 150]),
    "negative coordinate": lambda ds: set_points(ds, [-1, 150, 180, 150, 180, 260, -1, 260, -1, 150]),
    "moved box": lambda ds: set_points(ds, [110, 150, 190, 150, 190, 260, 110, 260, 110, 150]),
    "no region": lambda ds: without(group_of(ds, 0), "SCOORD"),
    "point instead": lambda ds: setattr(region_of(ds), "GraphicType", "MULTIPOINT"),
    "unknown image": point_elsewhere,
    "the other view": point_at_the_other_view,
    "shared tracking UID": share_tracking_uid,
    "no tracking UID": lambda ds: without(group_of(ds, 0), "UIDREF"),
    "no tracking identifier": lambda ds: without(group_of(ds, 0), "TEXT", "112039"),
    "no finding": lambda ds: without(group_of(ds, 0), "CODE", "121071"),
    "no probability": lambda ds: without(group_of(ds, 0), "NUM"),
    "another probability": say_more_probable,
    "absent instead of present": say_absent,
    "negative left out": drop_group,
    "lesion last": lesion_last,
    "input not listed": drop_evidence,
    "evidence in another series": evidence_of_another_series,
    "evidence of another class": evidence_of_another_class,
    "verified": set_to("VerificationFlag", "VERIFIED"),
    "partial": set_to("CompletionFlag", "PARTIAL"),
    "another conclusion": say_another_conclusion,
    "no safety note": forget_the_safety_note,
    "no equipment": delete("ContributingEquipmentSequence"),
    "another revision": set_to("InstanceNumber", 2),
    "no template": delete("ContentTemplateSequence"),
}
CAPTURE: dict[str, Mutation] = {
    "not burned in": set_to("BurnedInAnnotation", "NO"),
    "grey scale": set_to("PhotometricInterpretation", "MONOCHROME2"),
    "planes": set_to("PlanarConfiguration", 1),
    "16 bit": set_to("BitsAllocated", 16),
    "original": set_to("ImageType", ["ORIGINAL", "PRIMARY"]),
    "no conversion type": delete("ConversionType"),
    "fewer rows": lambda ds: setattr(ds, "Rows", ds.Rows - 1),
    "cut pixels": lambda ds: setattr(ds, "PixelData", ds.PixelData[:-2]),
    "window on colour": set_to("WindowCenter", "128"),
    "rescale on colour": set_to("RescaleSlope", "1"),
    "no source": delete("SourceImageSequence"),
    "another source": lambda ds: setattr(ds.SourceImageSequence[0], "ReferencedSOPInstanceUID", "2.25.1"),
    "no purpose": lambda ds: delattr(ds.SourceImageSequence[0], "PurposeOfReferenceCodeSequence"),
    "turned": set_to("PatientOrientation", ["R", "F"]),
    "unscaled spacing": set_to("PixelSpacing", ["0.5", "0.5"]),
    "oblong spacing": set_to("PixelSpacing", ["0.14", "0.28"]),
    "another answer": set_to("ImageComments", "NO FINDINGS: fracture 3 %"),
    "no safety note": set_to("DerivationDescription", "drawn"),
    "band of another colour": lambda ds: setattr(ds, "PixelData", b"\x00\x9e\x73" + ds.PixelData[3:]),
}


@pytest.mark.parametrize("mutate", [*COMMON.values(), *REPORT.values()], ids=[*COMMON, *REPORT])
def test_gate_catches_a_defect_in_a_report(study: StudyResult, mutate: Mutation) -> None:
    built = build_report(study)
    check(built, study)
    ds = deepcopy(built.ds)
    mutate(ds)

    with pytest.raises(InvalidObject, match="sr: "):
        check(replace(built, ds=ds), study)


@pytest.mark.parametrize("mutate", [*COMMON.values(), *CAPTURE.values()], ids=[*COMMON, *CAPTURE])
def test_gate_catches_a_defect_in_a_capture(study: StudyResult, mutate: Mutation) -> None:
    built = build_capture(study.images[0], a_display(), study)
    check(built, study)
    ds = deepcopy(built.ds)
    mutate(ds)

    with pytest.raises(InvalidObject, match="capture: "):
        check(replace(built, ds=ds), study)


def test_gate_holds_a_capture_of_an_image_that_is_not_of_the_study(study: StudyResult) -> None:
    built = build_capture(study.images[0], a_display(), study)
    stranger = BuiltObject(ds=built.ds, kind=built.kind, source=None)

    with pytest.raises(InvalidObject, match="not of this study"):
        check(stranger, study)


def test_gate_names_the_defect_and_quotes_no_patient(study: StudyResult) -> None:
    built = build_report(study)
    ds = deepcopy(built.ds)
    ds.PatientName = "Other^Patient"

    with pytest.raises(InvalidObject) as caught:
        check(replace(built, ds=ds), study)

    assert str(caught.value) == "sr: PatientName differs from the source"
