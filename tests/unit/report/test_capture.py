from __future__ import annotations

from io import BytesIO
from pathlib import Path

import numpy as np
import pydicom
import pytest
from pydicom.dataset import Dataset

from tests.unit.report.studies import (
    SourceImage,
    a_display,
    a_finding,
    a_study,
    an_image,
    declined,
    done,
    write_source,
)
from wetread.domain import IMPLEMENTATION_CLASS_UID, Analysis, Box
from wetread.report.capture import build_capture
from wetread.report.encode import to_part10
from wetread.report.gate import check
from wetread.report.overlay import Display

BOX = Box(100, 150, 180, 260, 0.9)


def capture_of(
    path: Path, *analyses: Analysis, display: Display | None = None, revision: int = 1, max_side: int = 2048
) -> Dataset:
    """Build, check, encode and decode again."""
    study = a_study(an_image(path, *analyses), revision=revision)
    built = build_capture(study.images[0], display, study, max_side=max_side)
    check(built, study)
    return pydicom.dcmread(BytesIO(to_part10(built.ds)))


def test_capture_is_what_every_viewer_shows(tmp_path: Path) -> None:
    ds = capture_of(write_source(tmp_path, SourceImage()), done(a_finding(0.9, BOX)), display=a_display())

    assert ds.SOPClassUID.name == "Secondary Capture Image Storage"
    assert (ds.PhotometricInterpretation, ds.BitsStored, ds.SamplesPerPixel) == ("RGB", 8, 3)
    assert ds.file_meta.TransferSyntaxUID.name == "Explicit VR Little Endian"
    assert len(ds.PixelData) == ds.Rows * ds.Columns * 3
    assert ds.BurnedInAnnotation == "YES"
    assert list(ds.ImageType) == ["DERIVED", "SECONDARY"]
    assert ds.ImageComments == "FRACTURE SUSPECTED 90 %"


def test_capture_names_its_source_and_takes_its_orientation(tmp_path: Path) -> None:
    path = write_source(tmp_path, SourceImage())

    ds = capture_of(path, done(a_finding(0.9, BOX)), display=a_display())

    source = pydicom.dcmread(path)
    assert ds.SourceImageSequence[0].ReferencedSOPInstanceUID == source.SOPInstanceUID
    assert ds.SourceImageSequence[0].PurposeOfReferenceCodeSequence[0].CodeValue == "121322"
    assert list(ds.PatientOrientation) == ["L", "F"]
    assert (ds.BodyPartExamined, ds.ImageLaterality) == ("WRIST", "L")
    assert ds.SeriesInstanceUID != source.SeriesInstanceUID
    assert ds.StudyInstanceUID == source.StudyInstanceUID


@pytest.mark.parametrize(
    ("stated", "side"),
    [
        ({"Laterality": "R"}, "R"),
        ({"Laterality": "", "ImageLaterality": "B"}, "B"),
        ({"Laterality": "L", "ImageLaterality": "R"}, "R"),
        ({"Laterality": "N"}, ""),
        ({"Laterality": ""}, ""),
    ],
)
def test_capture_states_the_side_of_its_own_image_empty_where_the_source_does_not_say(
    tmp_path: Path, stated: dict[str, str], side: str
) -> None:
    path = write_source(tmp_path, SourceImage(more=dict(stated)))

    ds = capture_of(path, done(a_finding(0.1)), display=a_display())

    assert ds.ImageLaterality == side
    assert "Laterality" not in ds


def test_capture_spacing_is_scaled_with_the_picture(tmp_path: Path) -> None:
    path = write_source(tmp_path, SourceImage(rows=3000, columns=2400))

    ds = capture_of(path, done(a_finding(0.1)), display=a_display(3000, 2400), max_side=1024)

    assert ds.Rows <= 1024
    assert float(ds.PixelSpacing[1]) * ds.Columns == pytest.approx(0.14 * 2400, rel=2e-3)
    assert ds.PixelSpacing[0] == ds.PixelSpacing[1]
    assert ds.PixelSpacingCalibrationType == "GEOMETRY"


def test_capture_of_oblong_pixels_has_square_ones(tmp_path: Path) -> None:
    path = write_source(tmp_path, SourceImage(rows=800, columns=800, more={"PixelSpacing": ["0.2", "0.1"]}))

    ds = capture_of(path, done(a_finding(0.1)), display=a_display(800, 800))

    assert ds.PixelSpacing == [0.1, 0.1]
    assert ds.Rows > 1600


def test_capture_claims_no_spacing_that_the_source_lacks(tmp_path: Path) -> None:
    path = write_source(tmp_path, SourceImage(without=("PixelSpacing",)))

    ds = capture_of(path, done(a_finding(0.1)), display=a_display())

    assert "PixelSpacing" not in ds


def test_capture_of_what_cannot_be_shown_is_a_card(tmp_path: Path) -> None:
    path = write_source(tmp_path, SourceImage())

    ds = capture_of(path, declined("pixels_truncated", "pixel data are cut off"))

    assert (ds.Rows, ds.Columns) == (640, 1024)
    assert "PixelSpacing" not in ds
    assert ds.ImageComments == "NOT EVALUABLE: pixel data are cut off"


def test_capture_is_the_same_object_in_a_later_revision(tmp_path: Path) -> None:
    path = write_source(tmp_path, SourceImage())

    first = capture_of(path, done(a_finding(0.9, BOX)), display=a_display())
    second = capture_of(path, done(a_finding(0.9, BOX)), display=a_display(), revision=2)

    assert first == second


def test_capture_of_the_same_result_is_the_same_bytes(tmp_path: Path) -> None:
    study = a_study(an_image(write_source(tmp_path, SourceImage()), done(a_finding(0.9, BOX))))
    encoded = {to_part10(build_capture(study.images[0], a_display(), study).ds) for _ in range(2)}

    assert len(encoded) == 1
    assert next(iter(encoded))[:132] == b"\x00" * 128 + b"DICM"


def test_capture_pixels_are_the_picture(tmp_path: Path) -> None:
    path = write_source(tmp_path, SourceImage(rows=1000, columns=800))

    ds = capture_of(path, done(a_finding(0.1)), display=a_display(1000, 800))

    shown = ds.pixel_array[-1000:].astype(float).mean(axis=-1) / 255
    assert np.abs(shown - a_display(1000, 800)).max() < 0.01


def test_capture_says_who_made_it(tmp_path: Path) -> None:
    ds = capture_of(write_source(tmp_path, SourceImage()), done(a_finding(0.1)), display=a_display())

    assert ds.file_meta.ImplementationClassUID == IMPLEMENTATION_CLASS_UID
    assert ds.ContributingEquipmentSequence[0].ManufacturerModelName == "fracture"
    assert ds.Manufacturer == "Wetread"
