"""Every transfer syntax gives the stored values back; nothing that is cut or contradictory gives any."""

from __future__ import annotations

import zlib
from pathlib import Path

import imagecodecs
import numpy as np
import pytest
from pydicom import dcmread
from pydicom.encaps import encapsulate
from pydicom.uid import (
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGBaseline8Bit,
    JPEGExtended12Bit,
    JPEGLosslessSV1,
    JPEGLSLossless,
    JPEGLSNearLossless,
    RLELossless,
)
from tests.unit.infer.images import LOSSLESS, LOSSY, NATIVE, encode, header, limb, write, write_native

from wetread.errors import Undecodable, Unreadable
from wetread.infer.decode import read_image


@pytest.mark.parametrize("syntax", NATIVE, ids=lambda uid: uid.name)
def test_read_image_returns_exact_values_of_every_native_syntax(tmp_path: Path, syntax: str) -> None:
    stored = limb()
    order = ">" if "Big" in syntax.name else "<"
    path = write(
        tmp_path / "a.dcm", header(stored, bits=12, syntax=syntax), stored.astype(f"{order}u2").tobytes()
    )

    image = read_image(path)

    assert image.stored.dtype == np.uint16
    assert np.array_equal(image.stored, stored)
    assert "PixelData" not in image.ds


@pytest.mark.parametrize("bits", [10, 12, 16])
@pytest.mark.parametrize("syntax", LOSSLESS, ids=lambda uid: uid.name)
def test_read_image_returns_exact_values_of_every_lossless_syntax(
    tmp_path: Path, syntax: str, bits: int
) -> None:
    stored = limb(bits=bits)
    # OpenJPH's encoder declares all 16 bits, whatever is in them.
    path = write(
        tmp_path / "a.dcm", header(stored, bits=bits, syntax=syntax), encode(stored, syntax, bits=bits)
    )

    image = read_image(path)

    assert image.stored.dtype == np.uint16
    assert np.array_equal(image.stored, stored)


@pytest.mark.parametrize("syntax", LOSSLESS, ids=lambda uid: uid.name)
def test_read_image_returns_exact_values_of_8_bit_streams(tmp_path: Path, syntax: str) -> None:
    stored = limb(bits=8).astype(np.uint8)
    path = write(tmp_path / "a.dcm", header(stored, bits=8, syntax=syntax), encode(stored, syntax, bits=8))

    image = read_image(path)

    assert image.stored.dtype == np.uint8
    assert np.array_equal(image.stored, stored)


@pytest.mark.parametrize(("syntax", "bits"), [(JPEGBaseline8Bit, 8), (JPEGExtended12Bit, 12)])
def test_read_image_returns_lossy_values_near_the_original(tmp_path: Path, syntax: str, bits: int) -> None:
    stored = limb(bits=bits).astype(np.uint8 if bits == 8 else np.uint16)
    path = write(
        tmp_path / "a.dcm", header(stored, bits=bits, syntax=syntax), encode(stored, syntax, bits=bits)
    )

    image = read_image(path)

    error = np.abs(image.stored.astype(int) - stored.astype(int))
    assert image.stored.dtype == stored.dtype
    assert error.mean() < 2**bits / 100


def test_read_image_clips_what_a_lossy_codec_overshoots(tmp_path: Path) -> None:
    overshot = limb(bits=12)
    path = write(
        tmp_path / "a.dcm",
        header(overshot, bits=10, syntax=JPEGExtended12Bit),
        encode(overshot, JPEGExtended12Bit, bits=12),
    )

    image = read_image(path)

    assert image.stored.max() == 1023
    assert image.stored[48, 32] == 1023


def test_read_image_takes_native_pixels_without_a_copy(tmp_path: Path) -> None:
    path = write_native(tmp_path / "a.dcm", limb())

    image = read_image(path)

    assert not image.stored.flags.owndata


def test_read_image_joins_fragments(tmp_path: Path) -> None:
    stored = limb()
    ds = header(stored, bits=12, syntax=JPEGLSLossless)
    ds.PixelData = encapsulate([encode(stored, JPEGLSLossless, bits=12)], fragments_per_frame=3)
    ds["PixelData"].VR = "OB"
    ds.save_as(tmp_path / "a.dcm", enforce_file_format=True)

    image = read_image(tmp_path / "a.dcm")

    assert np.array_equal(image.stored, stored)


@pytest.mark.parametrize("syntax", [ImplicitVRLittleEndian, ExplicitVRLittleEndian], ids=lambda uid: uid.name)
def test_read_image_reads_a_bare_data_set_without_preamble_and_meta(tmp_path: Path, syntax: str) -> None:
    stored = limb()
    ds = header(stored, bits=12, syntax=syntax)
    ds.PixelData = stored.tobytes()
    ds["PixelData"].VR = "OW"
    del ds.file_meta, ds.preamble
    ds.save_as(tmp_path / "a.dcm", implicit_vr=syntax == ImplicitVRLittleEndian, little_endian=True)

    image = read_image(tmp_path / "a.dcm")

    assert np.array_equal(image.stored, stored)


def test_read_image_keeps_the_sign_of_signed_pixels(tmp_path: Path) -> None:
    stored = (limb(bits=12).astype(np.int32) - 2048).astype(np.int16)

    image = read_image(write_native(tmp_path / "a.dcm", stored))

    assert image.stored.dtype == np.int16
    assert np.array_equal(image.stored, stored)


def test_read_image_extends_the_sign_from_bits_stored(tmp_path: Path) -> None:
    stored = (limb(bits=12).astype(np.int32) - 2048).astype(np.int16)
    unextended = stored.view(np.uint16) & 0x0FFF
    path = write_native(tmp_path / "a.dcm", unextended, PixelRepresentation=1)

    image = read_image(path)

    assert np.array_equal(image.stored, stored)


def test_read_image_drops_overlay_bits_above_the_stored_ones(tmp_path: Path) -> None:
    stored = limb()
    with_overlay = stored | np.where(np.indices(stored.shape).sum(0) % 2, 0x8000, 0x3000).astype(np.uint16)

    image = read_image(write_native(tmp_path / "a.dcm", with_overlay))

    assert np.array_equal(image.stored, stored)


def test_read_image_drops_overlay_bits_below_the_stored_ones(tmp_path: Path) -> None:
    stored = limb()
    path = write_native(tmp_path / "a.dcm", (stored << 4) | np.uint16(5), HighBit=15)

    image = read_image(path)

    assert np.array_equal(image.stored, stored)


def test_read_image_drops_overlay_bits_of_a_lossless_stream(tmp_path: Path) -> None:
    stored = limb()
    stream = encode(stored | np.uint16(0x4000), JPEGLosslessSV1, bits=16)

    image = read_image(write(tmp_path / "a.dcm", header(stored, bits=12, syntax=JPEGLosslessSV1), stream))

    assert np.array_equal(image.stored, stored)


def test_read_image_extends_the_sign_of_a_compressed_stream(tmp_path: Path) -> None:
    stored = (limb(bits=12).astype(np.int32) - 2048).astype(np.int16)
    stream = encode(stored.view(np.uint16), JPEGLSLossless, bits=16)

    image = read_image(write(tmp_path / "a.dcm", header(stored, bits=12, syntax=JPEGLSLossless), stream))

    assert np.array_equal(image.stored, stored)


def test_read_image_unswaps_8_bit_samples_in_big_endian_words(tmp_path: Path) -> None:
    stored = limb(bits=8).astype(np.uint8)
    swapped = stored.reshape(-1).view("<u2").astype(">u2").tobytes()

    image = read_image(write(tmp_path / "a.dcm", header(stored, bits=8, syntax=ExplicitVRBigEndian), swapped))

    assert np.array_equal(image.stored, stored)


def test_read_image_accepts_a_byte_of_padding(tmp_path: Path) -> None:
    stored = limb(rows=15, columns=15, bits=8).astype(np.uint8)
    path = write(
        tmp_path / "a.dcm", header(stored, bits=8, syntax=ExplicitVRLittleEndian), stored.tobytes() + b"\0"
    )

    image = read_image(path)

    assert np.array_equal(image.stored, stored)


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


def test_read_image_agrees_with_pydicom_on_near_lossless_jpeg_ls(tmp_path: Path) -> None:
    stored = np.clip(limb(), 10, 4_000)
    stream = bytes(imagecodecs.jpegls_encode(stored, 3))
    path = write(tmp_path / "a.dcm", header(stored, bits=12, syntax=JPEGLSNearLossless), stream)

    image = read_image(path)

    assert np.array_equal(image.stored, dcmread(path).pixel_array)
    assert np.abs(image.stored.astype(int) - stored).max() <= 3
