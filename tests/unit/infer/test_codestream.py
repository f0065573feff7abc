"""Stream headers are read as written, and what makes no sense is refused before a codec runs."""

from __future__ import annotations

import struct

import imagecodecs
import numpy as np
import pytest

from tests.unit.infer.images import encode, limb
from wetread.errors import Undecodable
from wetread.infer.codestream import (
    StreamHeader,
    check_against,
    read_jpeg_2000_header,
    read_jpeg_header,
    rle_segments,
)

JPEG_LOSSLESS = "1.2.840.10008.1.2.4.70"
JPEG_LS = "1.2.840.10008.1.2.4.80"
JPEG_2000 = "1.2.840.10008.1.2.4.90"


def segment(marker: int, body: bytes) -> bytes:
    return struct.pack(">BBH", 0xFF, marker, len(body) + 2) + body


def code_of(error: pytest.ExceptionInfo[Undecodable]) -> str:
    return error.value.code


@pytest.mark.parametrize("syntax", [JPEG_LOSSLESS, JPEG_LS])
def test_read_jpeg_header_says_size_and_depth(syntax: str) -> None:
    header = read_jpeg_header(encode(limb(rows=90, columns=50), syntax, bits=12))

    assert (header.rows, header.columns, header.components) == (90, 50, 1)
    assert 12 <= header.bits <= 16


def test_read_jpeg_header_walks_past_application_segments_and_fill_bytes() -> None:
    stream = encode(limb(), JPEG_LOSSLESS, bits=12)
    # A thumbnail with its own frame header inside an APP1 segment must not be mistaken for the image's.
    thumbnail = segment(0xE1, b"\xff\xd8" + segment(0xC0, struct.pack(">BHHB", 8, 9, 9, 3)) + b"\xff\xd9")

    header = read_jpeg_header(stream[:2] + thumbnail + b"\xff\xff\xff" + stream[3:])

    assert header == StreamHeader(rows=96, columns=64, components=1, bits=12)


@pytest.mark.parametrize("padding", [b"", b"\0", b"\xff", b"\0\0\0"])
def test_read_jpeg_header_accepts_padding_behind_the_end_marker(padding: bytes) -> None:
    stream = encode(limb(), JPEG_LOSSLESS, bits=12)

    assert read_jpeg_header(stream + padding).rows == 96


@pytest.mark.parametrize(
    ("stream", "code"),
    [
        (b"", "pixels_disagree"),
        (b"\x89PNG", "pixels_disagree"),
        (b"\xff\xd8", "pixels_truncated"),
        (b"\xff\xd8\xff\xd9", "pixels_disagree"),
        (b"\xff\xd8" + segment(0xDA, b"\0" * 10) + b"\xff\xd9", "pixels_disagree"),
        (b"\xff\xd8\xff\xe0\x00\x00\xff\xd9", "pixels_disagree"),
        (b"\xff\xd8" + segment(0xC3, b"\x0c") + b"\xff\xd9", "pixels_truncated"),
        (
            b"\xff\xd8" + segment(0xC3, struct.pack(">BHHB", 12, 9_000, 9_000, 1)) + b"\xff\xd9",
            "pixels_truncated",
        ),
        (
            b"\xff\xd8" + segment(0xC0, struct.pack(">BHHB", 8, 9_000, 9_000, 1)) + b"\xff\xd9",
            "pixels_truncated",
        ),
    ],
)
def test_read_jpeg_header_refuses_what_cannot_be_an_image(stream: bytes, code: str) -> None:
    with pytest.raises(Undecodable) as caught:
        read_jpeg_header(stream)

    assert code_of(caught) == code


def test_read_jpeg_2000_header_says_size_depth_and_sign() -> None:
    signed = (limb().astype(np.int32) - 2048).astype(np.int16)
    stream = bytes(imagecodecs.jpeg2k_encode(signed, codecformat="J2K", reversible=True, bitspersample=12))

    header = read_jpeg_2000_header(stream)

    assert header == StreamHeader(rows=96, columns=64, components=1, bits=12, is_signed=True)


def test_read_jpeg_2000_header_looks_into_a_box_file() -> None:
    stream = bytes(imagecodecs.jpeg2k_encode(limb(), codecformat="JP2", reversible=True, bitspersample=12))

    assert read_jpeg_2000_header(stream) == StreamHeader(rows=96, columns=64, components=1, bits=12)


@pytest.mark.parametrize(
    ("position", "value"),
    [
        (8, b"\x00\x00\x00\x00"),  # no width
        (24, b"\x00\x00\x00\x00"),  # no tile width
        (24, b"\x00\x00\x00\x01\x00\x00\x00\x01\x00"),  # a tile for every pixel of a large image
        (43, b"\x02"),  # every second column only
    ],
)
def test_read_jpeg_2000_header_refuses_a_size_that_makes_no_sense(position: int, value: bytes) -> None:
    stream = bytearray(encode(limb(rows=300, columns=300), JPEG_2000, bits=12))
    stream[position : position + len(value)] = value

    with pytest.raises(Undecodable) as caught:
        read_jpeg_2000_header(bytes(stream))

    assert code_of(caught) == "pixels_disagree"


def test_rle_segments_gives_the_planes_in_order() -> None:
    stream = struct.pack("<16I", 2, 64, 66, *[0] * 13) + b"\x00\x01" + b"\x00\x02"

    assert rle_segments(stream, expected=2) == (b"\x00\x01", b"\x00\x02")


@pytest.mark.parametrize(
    ("table", "code"),
    [
        ((1, 64), "pixels_disagree"),
        ((3, 64, 65, 66), "pixels_disagree"),
        ((2, 64, 64), "pixels_truncated"),
        ((2, 66, 64), "pixels_truncated"),
        ((2, 60, 66), "pixels_truncated"),
        ((2, 64, 9_000), "pixels_truncated"),
    ],
)
def test_rle_segments_refuses_offsets_that_make_no_sense(table: tuple[int, ...], code: str) -> None:
    stream = struct.pack("<16I", *table, *[0] * (16 - len(table))) + bytes(8)

    with pytest.raises(Undecodable) as caught:
        rle_segments(stream, expected=2)

    assert code_of(caught) == code


@pytest.mark.parametrize(
    "header",
    [
        StreamHeader(rows=11, columns=20, components=1, bits=12),
        StreamHeader(rows=20, columns=10, components=1, bits=12),
        StreamHeader(rows=10, columns=20, components=3, bits=12),
        StreamHeader(rows=10, columns=20, components=1, bits=10),
        StreamHeader(rows=10, columns=20, components=1, bits=17),
        StreamHeader(rows=10, columns=20, components=1, bits=12, is_signed=True),
    ],
    ids=str,
)
def test_check_against_refuses_a_stream_that_is_not_the_image(header: StreamHeader) -> None:
    with pytest.raises(Undecodable) as caught:
        check_against(header, rows=10, columns=20, allocated=16, bits=12, is_signed=False)

    assert code_of(caught) == "pixels_disagree"


def test_check_against_accepts_more_bits_than_are_stored() -> None:
    header = StreamHeader(rows=10, columns=20, components=1, bits=12)

    check_against(header, rows=10, columns=20, allocated=16, bits=10, is_signed=False)
