"""From a DICOM file to its stored pixel values, whatever the transfer syntax.

An image comes back only when it is whole: what was cut short, contradicts its header, or makes a
codec stumble raises Undecodable with a code that says which.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from pathlib import Path

import imagecodecs
import numpy as np
from numpy.typing import NDArray
from pydicom import Dataset
from pydicom.encaps import generate_frames, parse_basic_offsets

from wetread.errors import Undecodable
from wetread.infer import codestream
from wetread.infer.dataset import (
    DEFLATED_LE,
    EXPLICIT_BE,
    EXPLICIT_LE,
    IMPLICIT_LE,
    PARSER_ERRORS,
    open_data_set,
    transfer_syntax_of,
)
from wetread.infer.layout import (
    BitPattern,
    PixelLayout,
    StoredPixels,
    clipped_values_of,
    layout_of,
    values_of,
)

_NATIVE = frozenset({IMPLICIT_LE, EXPLICIT_LE, DEFLATED_LE, EXPLICIT_BE})
_JPEG_FAMILY = "1.2.840.10008.1.2.4."
_JPEG = frozenset(f"{_JPEG_FAMILY}{n}" for n in (50, 51, 53, 55, 57, 70))
_JPEG_LS = frozenset(f"{_JPEG_FAMILY}{n}" for n in (80, 81))
_JPEG_2000 = frozenset(f"{_JPEG_FAMILY}{n}" for n in (90, 91, 201, 202, 203))
_RLE = "1.2.840.10008.1.2.5"
_LOSSY = frozenset(f"{_JPEG_FAMILY}{n}" for n in (50, 51, 53, 55, 81, 91, 203))

# One image at a time is decoded, and OpenJPEG takes nearly half the time with two threads.
_JPEG_2000_THREADS = 2
_PADDING_BYTES = 1
_ITEM = b"\xfe\xff\x00\xe0"  # PS3.5 A.4: tag of the first item, the offset table


@dataclass(frozen=True, slots=True)
class DecodedImage:
    """One grey image. `ds` is without its pixel data; `stored` is (rows, columns), values as stored.

    `stored` may be read-only. Bits outside BitsStored (overlays, garbage) are gone.
    """

    ds: Dataset
    layout: PixelLayout
    stored: StoredPixels


def read_image(path: Path, *, max_pixels: int = 64_000_000) -> DecodedImage:
    """Read one file and decode its one grey frame.

    Raises Unreadable when the bytes do not parse, Undecodable with one of the codes
    `pixels_missing`, `multi_frame`, `colour`, `attributes_missing`, `bits_unsupported`,
    `too_many_pixels`, `transfer_syntax`, `pixels_truncated`, `pixels_disagree`, `pixels_undecodable`.
    """
    with warnings.catch_warnings():
        # pydicom's warnings quote element values: nothing of a patient may reach a log.
        warnings.simplefilter("ignore")
        ds = open_data_set(path, most_inflated_bytes=4 * max_pixels)
        try:
            layout = layout_of(ds, max_pixels=max_pixels)
            stored = _stored_pixels(ds, layout)
        except PARSER_ERRORS as error:
            message = f"the pixels cannot be decoded ({type(error).__name__})"
            raise Undecodable(message, code="pixels_undecodable") from error
    del ds.PixelData
    return DecodedImage(ds, layout, stored)


def _stored_pixels(ds: Dataset, layout: PixelLayout) -> StoredPixels:
    syntax = transfer_syntax_of(ds)
    element = ds["PixelData"]
    if syntax in _NATIVE:
        if element.is_undefined_length:
            raise codestream.disagree("the pixels are compressed, the transfer syntax is not")
        pattern = _native(
            element.value, layout, is_big_endian=syntax == EXPLICIT_BE, is_words=element.VR == "OW"
        )
        return values_of(pattern, layout, shift=layout.high_bit + 1 - layout.bits)
    return _decompressed(_one_frame(element.value), layout, syntax=syntax)


def _native(data: bytes, layout: PixelLayout, *, is_big_endian: bool, is_words: bool) -> BitPattern:
    """View the bytes of an uncompressed frame as samples, without a copy when little endian."""
    excess = len(data) - layout.size_bytes
    if excess < 0:
        raise codestream.truncated(f"{-excess} bytes of pixels are missing")
    # Padding is harmless; a whole row or column too much means that Rows or Columns is wrong.
    if excess > _PADDING_BYTES and excess >= min(layout.rows, layout.columns) * layout.allocated // 8:
        raise codestream.disagree(f"{excess} bytes more than Rows and Columns explain")
    shape = (layout.rows, layout.columns)
    order = ">u2" if is_big_endian else "<u2"
    if layout.allocated == 16:
        words = np.frombuffer(data, dtype=order, count=layout.pixels)
        return words.astype(np.uint16, copy=False).reshape(shape)
    if is_big_endian and is_words:
        # PS3.5 7.3: the two 8-bit samples of one OW word are swapped with it.
        data = np.frombuffer(data, dtype=order).astype("<u2").tobytes()
    return np.frombuffer(data, dtype=np.uint8, count=layout.pixels).reshape(shape)


def _one_frame(data: bytes) -> bytes:
    """Join the fragments of a compressed frame (PS3.5 A.4)."""
    if not data.startswith(_ITEM):
        raise codestream.disagree("the transfer syntax is compressed, the pixels are not")
    if len(parse_basic_offsets(data)) > 1:
        raise Undecodable("the pixel data holds several frames", code="multi_frame")
    stream = next(generate_frames(data, number_of_frames=1), b"")
    if not stream:
        raise codestream.truncated("the pixel data holds no fragment")
    return stream


def _decompressed(stream: bytes, layout: PixelLayout, *, syntax: str) -> StoredPixels:
    if syntax == _RLE:
        return values_of(_rle(stream, layout), layout, shift=layout.high_bit + 1 - layout.bits)
    header = _checked_header(stream, layout, syntax=syntax)
    if syntax in _JPEG_2000:
        # OpenJPEG, not OpenJPH, also for HTJ2K: it refuses a tile that was cut short, the other does not.
        samples = imagecodecs.jpeg2k_decode(stream, numthreads=_JPEG_2000_THREADS)
    else:
        samples = (imagecodecs.jpegls_decode if syntax in _JPEG_LS else imagecodecs.jpeg8_decode)(stream)
    if samples.shape != (layout.rows, layout.columns) or samples.dtype.itemsize > 2:
        raise codestream.disagree("the decoded image has another shape than its header")
    pattern = samples.view(np.dtype(f"u{samples.dtype.itemsize}"))
    if syntax in _LOSSY:
        return clipped_values_of(pattern, layout, precision=header.bits)
    is_aligned = header.bits <= layout.high_bit
    return values_of(pattern, layout, shift=0 if is_aligned else layout.high_bit + 1 - layout.bits)


def _checked_header(stream: bytes, layout: PixelLayout, *, syntax: str) -> codestream.StreamHeader:
    if syntax in _JPEG_2000:
        header = codestream.read_jpeg_2000_header(stream)
    elif syntax in _JPEG or syntax in _JPEG_LS:
        header = codestream.read_jpeg_header(stream)
    else:
        raise Undecodable(f"transfer syntax {syntax} is not read here", code="transfer_syntax")
    codestream.check_against(
        header,
        rows=layout.rows,
        columns=layout.columns,
        allocated=layout.allocated,
        bits=layout.bits,
        is_signed=layout.is_signed,
    )
    return header


def _rle(stream: bytes, layout: PixelLayout) -> BitPattern:
    planes = []
    for segment in codestream.rle_segments(stream, expected=layout.allocated // 8):
        # `out` bounds what a hostile segment can unpack to: 128 times its size otherwise.
        plane = imagecodecs.packbits_decode(segment, out=layout.pixels)
        if len(plane) != layout.pixels:
            raise codestream.truncated("an RLE segment holds too few samples")
        planes.append(np.frombuffer(plane, dtype=np.uint8))
    shape = (layout.rows, layout.columns)
    if len(planes) == 1:
        return planes[0].reshape(shape)
    words: NDArray[np.uint16] = (planes[0].astype(np.uint16) << np.uint16(8)) | planes[1]
    return words.reshape(shape)
