"""Nothing that is cut short, contradictory or hostile gives an image, and each gives its code."""

from __future__ import annotations

import zlib
from pathlib import Path

import numpy as np
import pytest
from pydicom.uid import (
    ExplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGBaseline8Bit,
    JPEGLosslessSV1,
    JPEGLSLossless,
    RLELossless,
)

from tests.unit.infer.images import LOSSLESS, LOSSY, encode, header, limb, write, write_native
from wetread.errors import Undecodable, Unreadable
from wetread.infer.decode import read_image


@pytest.mark.parametrize(
    ("attributes", "code"),
    [
        ({"NumberOfFrames": 2}, "multi_frame"),
        ({"SamplesPerPixel": 3, "PhotometricInterpretation": "RGB"}, "colour"),
        ({"PhotometricInterpretation": "PALETTE COLOR"}, "colour"),
        ({"PhotometricInterpretation": None}, "attributes_missing"),
        ({"Rows": None}, "attributes_missing"),
        ({"BitsStored": None}, "attributes_missing"),
        ({"PixelRepresentation": None}, "attributes_missing"),
        ({"BitsAllocated": 32}, "bits_unsupported"),
        ({"BitsStored": 17}, "bits_unsupported"),
        ({"HighBit": 5}, "bits_unsupported"),
        ({"Rows": 0}, "pixels_missing"),
        ({"Rows": 30_000, "Columns": 30_000}, "too_many_pixels"),
        ({"Rows": 97}, "pixels_truncated"),
        ({"Rows": 95}, "pixels_disagree"),
        ({"Columns": 63}, "pixels_disagree"),
    ],
    ids=str,
)
def test_read_image_names_what_is_wrong_with_a_header(
    tmp_path: Path, attributes: dict[str, object], code: str
) -> None:
    path = write_native(tmp_path / "a.dcm", limb(), **attributes)

    with pytest.raises(Undecodable) as caught:
        read_image(path)

    assert caught.value.code == code


def test_read_image_says_that_pixels_are_missing(tmp_path: Path) -> None:
    header(limb(), bits=12, syntax=ExplicitVRLittleEndian).save_as(
        tmp_path / "a.dcm", enforce_file_format=True
    )

    with pytest.raises(Undecodable) as caught:
        read_image(tmp_path / "a.dcm")

    assert caught.value.code == "pixels_missing"


def test_read_image_refuses_a_syntax_it_does_not_know(tmp_path: Path) -> None:
    path = write(tmp_path / "a.dcm", header(limb(), bits=12, syntax="1.2.840.10008.1.2.4.102"), b"\0" * 64)

    with pytest.raises(Undecodable) as caught:
        read_image(path)

    assert caught.value.code == "transfer_syntax"


def test_read_image_refuses_native_pixels_under_a_compressed_syntax(tmp_path: Path) -> None:
    stored = limb()
    ds = header(stored, bits=12, syntax=ExplicitVRLittleEndian)
    path = write(tmp_path / "a.dcm", ds, stored.tobytes())
    data = path.read_bytes().replace(b"1.2.840.10008.1.2.1\0", b"1.2.840.10008.1.2.5\0")
    path.write_bytes(data)

    with pytest.raises(Undecodable) as caught:
        read_image(path)

    assert caught.value.code == "pixels_disagree"


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9, 0.99])
@pytest.mark.parametrize("syntax", [*LOSSLESS, *LOSSY], ids=lambda uid: uid.name)
def test_read_image_refuses_a_code_stream_cut_short(tmp_path: Path, syntax: str, share: float) -> None:
    bits = 8 if syntax == JPEGBaseline8Bit else 12
    stored = limb(bits=bits).astype(np.uint8 if bits == 8 else np.uint16)
    stream = encode(stored, syntax, bits=bits)
    path = write(
        tmp_path / "a.dcm", header(stored, bits=bits, syntax=syntax), stream[: int(len(stream) * share)]
    )

    with pytest.raises(Undecodable) as caught:
        read_image(path)

    assert caught.value.code in ("pixels_truncated", "pixels_disagree", "pixels_undecodable")


@pytest.mark.parametrize("syntax", LOSSLESS, ids=lambda uid: uid.name)
def test_read_image_refuses_a_code_stream_without_its_last_bytes(tmp_path: Path, syntax: str) -> None:
    stored = limb()
    stream = encode(stored, syntax, bits=12).rstrip(b"\0\xff")
    path = write(tmp_path / "a.dcm", header(stored, bits=12, syntax=syntax), stream[:-2])

    with pytest.raises(Undecodable):
        read_image(path)


@pytest.mark.parametrize("syntax", [JPEGLSLossless, JPEG2000Lossless], ids=lambda uid: uid.name)
def test_read_image_refuses_a_cut_stream_with_a_forged_end_marker(tmp_path: Path, syntax: str) -> None:
    stored = limb()
    stream = encode(stored, syntax, bits=12)
    path = write(
        tmp_path / "a.dcm", header(stored, bits=12, syntax=syntax), stream[: len(stream) // 2] + b"\xff\xd9"
    )

    with pytest.raises(Undecodable):
        read_image(path)


@pytest.mark.parametrize("share", [0.3, 0.6, 0.999])
def test_read_image_refuses_native_pixels_cut_short(tmp_path: Path, share: float) -> None:
    path = write_native(tmp_path / "a.dcm", limb(rows=400, columns=300))
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * share)])

    with pytest.raises(Undecodable) as caught:
        read_image(path)

    assert caught.value.code == "pixels_truncated"


@pytest.mark.parametrize("syntax", [*LOSSLESS, *LOSSY], ids=lambda uid: uid.name)
def test_read_image_refuses_a_stream_of_another_size(tmp_path: Path, syntax: str) -> None:
    bits = 8 if syntax == JPEGBaseline8Bit else 12
    stored = limb(bits=bits).astype(np.uint8 if bits == 8 else np.uint16)
    stream = encode(stored, syntax, bits=bits)
    path = write(
        tmp_path / "a.dcm", header(stored, bits=bits, syntax=syntax, Rows=7_000, Columns=7_000), stream
    )

    with pytest.raises(Undecodable) as caught:
        read_image(path)

    assert caught.value.code in ("pixels_disagree", "pixels_truncated")


def test_read_image_refuses_a_stream_with_fewer_bits_than_stored(tmp_path: Path) -> None:
    stored = limb(bits=8)
    stream = encode(stored.astype(np.uint8), JPEGLosslessSV1, bits=8)
    path = write(tmp_path / "a.dcm", header(stored, bits=12, syntax=JPEGLosslessSV1), stream)

    with pytest.raises(Undecodable) as caught:
        read_image(path)

    assert caught.value.code == "pixels_disagree"


def test_read_image_refuses_a_colour_stream_under_a_grey_header(tmp_path: Path) -> None:
    grey = limb(bits=8).astype(np.uint8)
    stream = encode(np.stack([grey] * 3, axis=-1), JPEGBaseline8Bit, bits=8)
    path = write(tmp_path / "a.dcm", header(grey, bits=8, syntax=JPEGBaseline8Bit), stream)

    with pytest.raises(Undecodable) as caught:
        read_image(path)

    assert caught.value.code == "pixels_disagree"


def test_read_image_refuses_a_jpeg_2000_header_that_claims_30000_squared(tmp_path: Path) -> None:
    stored = limb()
    stream = bytearray(encode(stored, JPEG2000Lossless, bits=12))
    stream[8:16] = (30_000).to_bytes(4, "big") * 2
    bomb = header(stored, bits=12, syntax=JPEG2000Lossless)
    claimed = header(stored, bits=12, syntax=JPEG2000Lossless, Rows=30_000, Columns=30_000)

    for ds in (bomb, claimed):
        with pytest.raises(Undecodable) as caught:
            read_image(write(tmp_path / "a.dcm", ds, bytes(stream)))

        assert caught.value.code in ("pixels_disagree", "too_many_pixels")


def test_read_image_refuses_an_rle_segment_that_unpacks_to_more_than_the_image(tmp_path: Path) -> None:
    stored = limb(bits=8).astype(np.uint8)
    table = np.zeros(16, dtype="<u4")
    table[:2] = [1, 64]
    stream = table.tobytes() + bytes([129, 1]) * 50_000

    with pytest.raises(Undecodable):
        read_image(write(tmp_path / "a.dcm", header(stored, bits=8, syntax=RLELossless), stream))


def test_read_image_stops_inflating_a_deflate_bomb(tmp_path: Path) -> None:
    stored = limb()
    path = write(
        tmp_path / "a.dcm",
        header(stored, bits=12, syntax="1.2.840.10008.1.2.1.99"),
        np.zeros(20_000_000, dtype=np.uint8).tobytes(),
    )

    with pytest.raises(Unreadable):
        read_image(path, max_pixels=1_000_000)


def test_read_image_refuses_a_deflated_data_set_cut_short(tmp_path: Path) -> None:
    stored = limb()
    path = write(
        tmp_path / "a.dcm", header(stored, bits=12, syntax="1.2.840.10008.1.2.1.99"), stored.tobytes()
    )
    path.write_bytes(path.read_bytes()[:-200])

    with pytest.raises(Unreadable):
        read_image(path)


@pytest.mark.parametrize(
    "data", [b"", b"no DICOM at all", bytes(5_000), zlib.compress(bytes(9_000))], ids=len
)
def test_read_image_calls_other_bytes_unreadable(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "a.dcm").write_bytes(data)

    with pytest.raises(Unreadable):
        read_image(tmp_path / "a.dcm")


def test_read_image_says_nothing_of_a_patient_in_its_errors(tmp_path: Path) -> None:
    path = write_native(tmp_path / "a.dcm", limb(), Rows=97, PatientName="Doe^Jane")

    with pytest.raises(Undecodable) as caught:
        read_image(path)

    assert "Doe" not in str(caught.value)
