"""Every transfer syntax gives the stored values back."""

from __future__ import annotations

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
    JPEGBaseline8Bit,
    JPEGExtended12Bit,
    JPEGLosslessSV1,
    JPEGLSLossless,
    JPEGLSNearLossless,
)

from tests.unit.infer.images import LOSSLESS, NATIVE, encode, header, limb, write, write_native
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


def test_read_image_agrees_with_pydicom_on_near_lossless_jpeg_ls(tmp_path: Path) -> None:
    stored = np.clip(limb(), 10, 4_000)
    stream = bytes(imagecodecs.jpegls_encode(stored, 3))
    path = write(tmp_path / "a.dcm", header(stored, bits=12, syntax=JPEGLSNearLossless), stream)

    image = read_image(path)

    assert np.array_equal(image.stored, dcmread(path).pixel_array)
    assert np.abs(image.stored.astype(int) - stored).max() <= 3
