from __future__ import annotations

from pathlib import Path

import numpy as np
import pydicom
import pytest
from pydicom.dataset import Dataset
from pydicom.uid import (
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
)

from tests.unit.report.studies import SourceImage, write_source
from wetread.report.source_pixels import evenly, sample_stored

RAMP = np.arange(600 * 480, dtype=np.int64).reshape(600, 480) * 4095 // (600 * 480)
EXPECTED = RAMP[np.ix_(evenly(600, 8), evenly(480, 8))]


def a_ramp(folder: Path, **more: object) -> Path:
    return write_source(folder, SourceImage(more={"PixelData": RAMP.astype("<u2").tobytes()} | more))


def with_syntax(path: Path, syntax: str) -> Path:
    """The same pixels in another transfer syntax."""
    ds = pydicom.dcmread(path)
    ds.file_meta.TransferSyntaxUID = syntax
    is_little = syntax != ExplicitVRBigEndian
    if not is_little:
        ds.PixelData = RAMP.astype(">u2").tobytes()
    again = Dataset(dict(ds.items()))
    again.file_meta = ds.file_meta
    pydicom.dcmwrite(
        path, again, implicit_vr=syntax == ImplicitVRLittleEndian, little_endian=is_little, overwrite=True
    )
    return path


def test_sample_is_the_stored_values_of_the_matrix(tmp_path: Path) -> None:
    sample = sample_stored(a_ramp(tmp_path), 8)

    assert np.array_equal(sample, EXPECTED)


@pytest.mark.parametrize("syntax", [ImplicitVRLittleEndian, ExplicitVRLittleEndian, ExplicitVRBigEndian])
def test_sample_is_the_same_in_every_uncompressed_transfer_syntax(tmp_path: Path, syntax: str) -> None:
    path = with_syntax(a_ramp(tmp_path), syntax)

    assert np.array_equal(sample_stored(path, 8), EXPECTED)


@pytest.mark.parametrize(
    "inverting",
    [{"PhotometricInterpretation": "MONOCHROME1"}, {"RescaleSlope": "-1", "RescaleIntercept": "0"}],
)
def test_sample_of_inverted_storage_is_larger_where_it_is_shown_brighter(
    tmp_path: Path, inverting: dict[str, object]
) -> None:
    sample = sample_stored(a_ramp(tmp_path, **inverting), 8)

    assert np.array_equal(sample, -EXPECTED)


def test_sample_leaves_out_what_stands_above_the_stored_bits(tmp_path: Path) -> None:
    garbage = (RAMP | 0xA000).astype("<u2").tobytes()

    assert np.array_equal(sample_stored(a_ramp(tmp_path, PixelData=garbage), 8), EXPECTED)


def test_sample_of_signed_values_is_signed(tmp_path: Path) -> None:
    signed = ((RAMP - 2048) & 0xFFF).astype("<u2").tobytes()

    sample = sample_stored(a_ramp(tmp_path, PixelData=signed, PixelRepresentation=1), 8)

    assert np.array_equal(sample, EXPECTED - 2048)


@pytest.mark.parametrize(
    "odd",
    [
        {"PixelData": b"\0\0"},
        {"PhotometricInterpretation": "RGB"},
        {"NumberOfFrames": "2"},
        {"VOILUTSequence": [Dataset()]},
        {"BitsAllocated": 32},
        {"Rows": 0},
    ],
    ids=lambda odd: next(iter(odd)),
)
def test_sample_is_not_taken_of_what_it_would_misjudge(tmp_path: Path, odd: dict[str, object]) -> None:
    assert sample_stored(a_ramp(tmp_path, **odd), 8) is None


def test_sample_is_not_taken_of_compressed_pixels(tmp_path: Path) -> None:
    path = a_ramp(tmp_path)
    path.write_bytes(
        path.read_bytes().replace(b"1.2.840.10008.1.2.1\0", JPEG2000Lossless.encode()[:20].ljust(20, b"\0"))
    )

    assert sample_stored(path, 8) is None
