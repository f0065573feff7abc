"""Forty real files of many vendors and syntaxes: each gives its image or its proper refusal."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
from pydicom import dcmread

from wetread.errors import Undecodable
from wetread.infer.decode import read_image
from wetread.infer.prepare import display_notes, to_display

REFUSED = {
    "chest_PA_canon_dx_J2K_broken.dcm": "pixels_undecodable",
    "cr_canon_cxdi_no_pixeldata.dcm": "pixels_missing",
    "cr_test_rgb8_synthetic.dcm": "colour",
    "dx_agfa_voilut_no_pixeldata_SCRUBBED.dcm": "pixels_missing",
    "dx_idexx_vet_jpeg_ybr422_colour.dcm": "colour",
    "xa_multiframe_96_jpeg_fragments.dcm": "multi_frame",
}

NOTED = {
    # Its window lies below every pixel.
    "chest_dx_rentgenprom_J2K_16bit_SCRUBBED.dcm": ("voi_flat",),
}


def rows_of(test_data: Path) -> list[dict[str, str]]:
    with (test_data / "dicom" / "manifest.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_every_file_gives_its_image_or_its_code(test_data: Path) -> None:
    answers: dict[str, str] = {}

    for row in rows_of(test_data):
        try:
            image = read_image(test_data / "dicom" / row["file"])
        except Undecodable as error:
            answers[row["file"]] = error.code
            continue
        assert image.stored.shape == (int(row["rows"]), int(row["cols"])), row["file"]
        assert image.stored.max() <= 2 ** int(row["bits_stored"]) - 1, row["file"]

    assert answers == REFUSED


def test_every_image_can_be_shown(test_data: Path) -> None:
    notes: dict[str, tuple[str, ...]] = {}

    for row in rows_of(test_data):
        if row["file"] in REFUSED:
            continue
        image = read_image(test_data / "dicom" / row["file"])
        shown = to_display(image)
        low, high = np.percentile(shown, [1, 99])
        assert shown.dtype == np.float32, row["file"]
        assert 0 <= shown.min() <= shown.max() <= 1, row["file"]
        assert high - low > 0.15, row["file"]
        if found := display_notes(image):
            notes[row["file"]] = found

    assert notes == NOTED


@pytest.mark.parametrize("name", ["hip_RG2_fuji", "extremity_RG3_fuji"])
def test_every_lossless_syntax_gives_the_same_pixels(test_data: Path, name: str) -> None:
    syntaxes = ("J2K_lossless", "JPEGLS_lossless", "JPEGlossless_SV1", "RLE")

    images = [read_image(test_data / "dicom" / f"{name}_{syntax}.dcm").stored for syntax in syntaxes]

    assert all(np.array_equal(images[0], other) for other in images[1:])


def test_compressed_pixels_equal_the_uncompressed_original(test_data: Path) -> None:
    original = read_image(test_data / "dicom" / "extremity_RG3_fuji_uncompressed.dcm").stored

    image = read_image(test_data / "dicom" / "extremity_RG3_fuji_JPEGlossless_SV1.dcm")

    assert np.array_equal(image.stored, original)


@pytest.mark.parametrize(
    "name",
    [
        "chest_RG1_philips_JPEGLS_near",
        "hip_RG2_fuji_JPEGLS_near",
        "extremity_RG3_fuji_JPEGLS_lossless",
        "extremity_RG3_fuji_uncompressed",
        "cr_test_signed16_synthetic",
        "rf_siemens",
    ],
)
def test_pixels_equal_those_of_pydicom(test_data: Path, name: str) -> None:
    path = test_data / "dicom" / f"{name}.dcm"

    image = read_image(path)

    assert np.array_equal(image.stored, dcmread(path).pixel_array)


def test_a_wrong_spectral_end_in_a_sequential_jpeg_changes_no_pixel(test_data: Path) -> None:
    # Two copies of one file; one says Se = 0 in its scan header, where a sequential scan must say 63.
    wrong = read_image(test_data / "dicom" / "hip_RG2_fuji_JPEGext12_broken.dcm")

    right = read_image(test_data / "dicom" / "hip_RG2_fuji_JPEGext12_fixed.dcm")

    assert np.array_equal(wrong.stored, right.stored)


def test_a_lossy_copy_is_near_its_original(test_data: Path) -> None:
    original = read_image(test_data / "dicom" / "extremity_RG3_fuji_uncompressed.dcm").stored.astype(int)

    for syntax in ("J2K_lossy", "JPEGLS_near", "JPEGext12"):
        copy = read_image(test_data / "dicom" / f"extremity_RG3_fuji_{syntax}.dcm").stored.astype(int)
        assert np.abs(copy - original).mean() < 8, syntax


def test_a_headless_file_gives_the_pixels_of_its_whole_twin(test_data: Path) -> None:
    headless = read_image(test_data / "dicom" / "chest_PA_fuji_mono1_headless_no_filemeta.dcm")

    whole = read_image(test_data / "dicom" / "chest_PA_fuji_mono1_440.dcm")

    assert np.array_equal(headless.stored, whole.stored)


@pytest.mark.parametrize(
    "name",
    [
        "hip_RG2_fuji_JPEGlossless_SV1",
        "chest_PA_rsna_jpegbaseline",
        "hip_RG2_fuji_RLE",
        "hip_RG2_fuji_J2K_lossless",
    ],
)
@pytest.mark.parametrize("share", [0.2, 0.5, 0.8, 0.99])
def test_a_real_file_cut_short_gives_no_image(
    test_data: Path, tmp_path: Path, name: str, share: float
) -> None:
    data = (test_data / "dicom" / f"{name}.dcm").read_bytes()
    (tmp_path / "cut.dcm").write_bytes(data[: int(len(data) * share)])

    with pytest.raises(Exception) as caught:  # noqa: PT011  two families of one parent are right here
        read_image(tmp_path / "cut.dcm")

    assert caught.type.__name__ in ("Undecodable", "Unreadable")
