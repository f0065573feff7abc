from __future__ import annotations

from dataclasses import replace
from io import BytesIO
from pathlib import Path

import numpy as np
import pydicom
import pytest
from pydicom.dataset import Dataset
from pydicom.uid import JPEGBaseline8Bit, RLELossless

from tests.unit.report.studies import (
    FRACTURE_MODEL,
    SourceImage,
    a_display,
    a_finding,
    a_heat_map,
    a_study,
    an_image,
    declined,
    done,
    write_source,
)
from wetread.domain import IMPLEMENTATION_CLASS_UID, Analysis, Box
from wetread.errors import InvalidObject
from wetread.report.capture import build_capture, build_heat_map_capture
from wetread.report.encode import to_part10
from wetread.report.gate import check
from wetread.report.overlay import Display
from wetread.report.results import Evidence

BOX = Box(100, 150, 180, 260, 0.9)


def capture_of(
    path: Path,
    *analyses: Analysis,
    display: Display | None = None,
    revision: int = 1,
    max_side: int = 2048,
    max_bytes: int = 13_000_000,
) -> Dataset:
    """Build, check, encode and decode again."""
    study = a_study(an_image(path, *analyses), revision=revision)
    built = build_capture(study.images[0], display, study, max_side=max_side, max_bytes=max_bytes)
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
        ({"Laterality": "L", "ImageLaterality": "R"}, ""),
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


@pytest.mark.parametrize("max_bytes", [500_000, 1_500_000, 13_000_000])
@pytest.mark.parametrize(("rows", "columns"), [(1500, 1250), (400, 300), (300, 2000), (2000, 150)])
def test_capture_is_never_larger_than_its_bound(
    tmp_path: Path, rows: int, columns: int, max_bytes: int
) -> None:
    path = write_source(tmp_path, SourceImage(rows=rows, columns=columns))

    ds = capture_of(
        path, done(a_finding(0.9, BOX)), display=a_display(rows, columns), max_side=8192, max_bytes=max_bytes
    )

    assert len(ds.PixelData) <= max_bytes


@pytest.mark.parametrize("max_bytes", [500_000, 1_500_000])
def test_card_is_never_larger_than_its_bound(tmp_path: Path, max_bytes: int) -> None:
    path = write_source(tmp_path, SourceImage())

    ds = capture_of(path, declined("pixels_truncated", "pixel data are cut off"), max_bytes=max_bytes)

    assert 0.9 * max_bytes < len(ds.PixelData) <= max_bytes


def test_capture_within_a_bound_of_bytes_keeps_the_size_of_what_it_shows(tmp_path: Path) -> None:
    path = write_source(tmp_path, SourceImage(rows=2000, columns=1600))

    ds = capture_of(path, done(a_finding(0.1)), display=a_display(2000, 1600), max_bytes=3_000_000)

    assert len(ds.PixelData) > 2_800_000
    assert float(ds.PixelSpacing[1]) * ds.Columns == pytest.approx(0.14 * 1600, rel=2e-3)
    assert ds.DerivationCodeSequence[0].CodeMeaning == "Spatial resampling"


def test_building_captures_leaves_the_original_as_it_was(tmp_path: Path) -> None:
    path = write_source(tmp_path, SourceImage())
    before, modified = path.read_bytes(), path.stat().st_mtime_ns
    study = a_study(an_image(path, done(a_finding(0.9, BOX))))
    display = a_display()
    shown = display.copy()
    evidence = Evidence(FRACTURE_MODEL, study.images[0].analyses[0].findings[0], a_heat_map())

    check(build_capture(study.images[0], display, study), study)
    check(build_heat_map_capture(study.images[0], display, study, [evidence]), study)

    assert (path.read_bytes(), path.stat().st_mtime_ns) == (before, modified)
    assert [item.name for item in tmp_path.iterdir()] == [path.name]
    assert (display == shown).all()


def test_capture_of_a_lossy_source_says_so_for_ever(tmp_path: Path) -> None:
    lossy: dict[str, object] = {
        "LossyImageCompression": "01",
        "LossyImageCompressionRatio": "10",
        "LossyImageCompressionMethod": "ISO_10918_1",
    }
    path = write_source(tmp_path, SourceImage(more=lossy))

    ds = capture_of(path, done(a_finding(0.1)), display=a_display())

    assert {keyword: str(ds[keyword].value) for keyword in lossy} == lossy


@pytest.mark.parametrize(("syntax", "is_lossy"), [(JPEGBaseline8Bit, True), (RLELossless, False)])
def test_capture_knows_the_lossy_transfer_syntaxes(tmp_path: Path, syntax: str, is_lossy: bool) -> None:
    image = an_image(write_source(tmp_path, SourceImage()), done(a_finding(0.1)))
    header = replace(image.instance.header, TransferSyntaxUID=syntax)
    image = replace(image, instance=replace(image.instance, header=header))
    study = a_study(image)

    built = build_capture(image, a_display(), study)

    check(built, study)
    assert (built.ds.get("LossyImageCompression") == "01") is is_lossy


def test_capture_of_inverted_storage_passes_only_with_dense_tissue_bright(tmp_path: Path) -> None:
    path = write_source(tmp_path, SourceImage(more={"PhotometricInterpretation": "MONOCHROME1"}))
    shown = 1 - a_display()

    ds = capture_of(path, done(a_finding(0.1)), display=shown)

    assert ds.pixel_array[-300, 0].mean() > ds.pixel_array[-300, ds.Columns // 2].mean()
    with pytest.raises(InvalidObject, match="the picture is inverted"):
        capture_of(path, done(a_finding(0.1)), display=a_display())
