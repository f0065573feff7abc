"""Cheap checks of a compressed image before any codec sees it.

A code stream that was cut short decodes in silence with some codecs, and a header that claims a
huge image makes others allocate gigabytes. So the stream's own header is read here, in Python, and
must agree with the data set before the pixels are decoded.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from itertools import pairwise

from wetread.errors import Undecodable

_JPEG_START = b"\xff\xd8"
_JPEG_2000_START = b"\xff\x4f\xff\x51"
_END = b"\xff\xd9"  # EOI of JPEG and JPEG-LS, EOC of JPEG 2000
_PADDING = b"\x00\xff"  # what encoders put behind the end marker to reach an even length

_START_OF_SCAN = 0xDA
# T.81 table B.1: SOF0..SOF15 without DHT (C4), JPG (C8), DAC (CC); T.87: SOF55 (F7).
_FRAME_MARKERS = frozenset({*range(0xC0, 0xD0), 0xF7} - {0xC4, 0xC8, 0xCC})
_LOSSLESS = 0xC3
_SEQUENTIAL = frozenset({0xC0, 0xC1})
_STANDALONE = frozenset({0x01, *range(0xD0, 0xD9)})

_RLE_HEADER_BYTES = 64
_MOST_TILES = 65_535  # T.800 A.4.2: a tile index is 16 bits


@dataclass(frozen=True, slots=True)
class StreamHeader:
    """What a code stream says of the image in it. `bits` is the sample precision."""

    rows: int
    columns: int
    components: int
    bits: int
    is_signed: bool = False


def truncated(message: str) -> Undecodable:
    """The error for pixels that end too early."""
    return Undecodable(message, code="pixels_truncated")


def disagree(message: str) -> Undecodable:
    """The error for a stream whose header contradicts the data set or itself."""
    return Undecodable(message, code="pixels_disagree")


def read_jpeg_header(stream: bytes) -> StreamHeader:
    """Read the frame header of a JPEG or JPEG-LS stream and check that the stream is whole.

    Raises Undecodable `pixels_truncated` without an end marker or with fewer bytes than the
    shortest possible coding of so many samples, `pixels_disagree` on a malformed header.
    Source: ITU-T T.81 annex B, ITU-T T.87 annex C.
    """
    if not stream.startswith(_JPEG_START):
        raise disagree("no JPEG start marker")
    end = _end_of(stream)
    marker, body = _frame_segment(stream)
    if len(body) < 6:
        raise truncated("JPEG frame header cut short")
    bits, rows, columns, components = struct.unpack_from(">BHHB", body)
    header = StreamHeader(rows, columns, components, bits)
    if end < _least_jpeg_bytes(marker, header):
        raise truncated(f"{end} bytes cannot hold a JPEG of {rows} x {columns}")
    return header


def read_jpeg_2000_header(stream: bytes) -> StreamHeader:
    """Read the SIZ segment of a JPEG 2000 or HTJ2K stream (bare or in a JP2 box file).

    Raises Undecodable `pixels_truncated` without an end marker, `pixels_disagree` on a malformed
    header. Whether every tile is whole is the codec's to say: OpenJPEG is strict.
    Source: ITU-T T.800 A.5.1.
    """
    start = stream.find(_JPEG_2000_START)
    if start < 0:
        raise disagree("no JPEG 2000 start marker")
    _end_of(stream)
    if len(stream) < start + 45:
        raise truncated("JPEG 2000 size header cut short")
    right, bottom, left, top, tile_width, tile_height, tile_left, tile_top = struct.unpack_from(
        ">8I", stream, start + 8
    )
    components, precision, x_step, y_step = struct.unpack_from(">HBBB", stream, start + 40)
    if (x_step, y_step) != (1, 1) or right <= left or bottom <= top or not tile_width or not tile_height:
        raise disagree("JPEG 2000 size header makes no sense")
    tiles = -(-(right - tile_left) // tile_width) * -(-(bottom - tile_top) // tile_height)
    if tiles > _MOST_TILES:
        raise disagree(f"JPEG 2000 header claims {tiles} tiles")
    return StreamHeader(
        bottom - top, right - left, components, (precision & 0x7F) + 1, is_signed=precision > 0x7F
    )


def rle_segments(stream: bytes, *, expected: int) -> tuple[bytes, ...]:
    """Cut an RLE frame into its byte planes, most significant first.

    Raises Undecodable `pixels_truncated` or `pixels_disagree` unless there are `expected` segments
    whose offsets rise from the end of the header and stay inside the stream.
    Source: DICOM PS3.5 annex G.5.
    """
    if len(stream) <= _RLE_HEADER_BYTES:
        raise truncated("RLE header cut short")
    count, *offsets = struct.unpack_from("<16I", stream)
    if count != expected:
        raise disagree(f"RLE has {count} segments, the data set needs {expected}")
    bounds = [*offsets[:count], len(stream)]
    if bounds[0] != _RLE_HEADER_BYTES or any(a >= b for a, b in pairwise(bounds)):
        raise truncated("RLE segment offsets leave the stream")
    return tuple(stream[a:b] for a, b in pairwise(bounds))


def check_against(
    header: StreamHeader, *, rows: int, columns: int, allocated: int, bits: int, is_signed: bool
) -> None:
    """Raise Undecodable unless the stream holds the one-component image that the data set describes.

    `bits` is BitsStored and `allocated` BitsAllocated: a stream may have more bits than are stored
    (JPEG Extended knows 8 and 12 only), never fewer.
    """
    if (header.rows, header.columns) != (rows, columns):
        raise disagree(f"the stream is {header.rows} x {header.columns}, the data set {rows} x {columns}")
    if header.components != 1:
        raise disagree(f"the stream has {header.components} components, the data set 1")
    if not bits <= header.bits <= allocated:
        raise disagree(f"the stream has {header.bits} bits, the data set {bits} of {allocated}")
    if header.is_signed and not is_signed:
        raise disagree("the stream has signed samples, the data set unsigned ones")


def _end_of(stream: bytes) -> int:
    """Position behind the end marker, which must be the last thing but padding."""
    whole = stream.rstrip(_PADDING) if stream[-2:] != _END else stream
    if not whole.endswith(_END):
        raise truncated("the code stream has no end marker")
    return len(whole)


def _frame_segment(stream: bytes) -> tuple[int, bytes]:
    """Marker and body of the frame header, found by walking the segments before it."""
    position = len(_JPEG_START)
    while position + 4 <= len(stream):
        if stream[position] != 0xFF:
            break
        marker = stream[position + 1]
        if marker == 0xFF or marker in _STANDALONE:
            position += 1 if marker == 0xFF else 2
            continue
        length = int.from_bytes(stream[position + 2 : position + 4], "big")
        if marker in _FRAME_MARKERS:
            return marker, stream[position + 4 : position + 2 + length]
        if marker == _START_OF_SCAN or length < 2:
            break
        position += 2 + length
    raise disagree("no JPEG frame header before the scan")


def _least_jpeg_bytes(marker: int, header: StreamHeader) -> int:
    """Bytes that the shortest Huffman coding takes: a bit a sample, or two bits a block of 8 x 8.

    Other codings (progressive, arithmetic, JPEG-LS) spend less than a bit a sample: no bound.
    """
    if marker == _LOSSLESS:
        return header.rows * header.columns * header.components // 8
    if marker in _SEQUENTIAL:
        blocks = -(-header.rows // 8) * -(-header.columns // 8)
        return blocks * 2 // 8
    return 0
