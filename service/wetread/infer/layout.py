"""How the samples of one grey frame are laid out, as the data set says, and how bits become values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from pydicom import Dataset

from wetread.errors import Undecodable

StoredPixels: TypeAlias = NDArray[np.uint8 | np.int8 | np.uint16 | np.int16]
BitPattern: TypeAlias = NDArray[np.uint8 | np.uint16]


@dataclass(frozen=True, slots=True)
class PixelLayout:
    """Size and depth of one grey frame (PS3.3 C.7.6.3.1, PS3.5 8.1.1)."""

    rows: int
    columns: int
    allocated: int
    bits: int
    high_bit: int
    is_signed: bool

    @property
    def pixels(self) -> int:
        """Samples in the image: one per pixel."""
        return self.rows * self.columns

    @property
    def size_bytes(self) -> int:
        """Length of the uncompressed image."""
        return self.pixels * self.allocated // 8

    @property
    def least(self) -> int:
        """Smallest value that BitsStored can express."""
        return -(1 << (self.bits - 1)) if self.is_signed else 0

    @property
    def most(self) -> int:
        """Largest value that BitsStored can express."""
        return self.least + (1 << self.bits) - 1


def layout_of(ds: Dataset, *, max_pixels: int) -> PixelLayout:
    """Check that the data set holds one grey frame of a size and depth that is read here.

    Raises Undecodable: `pixels_missing`, `multi_frame`, `colour`, `attributes_missing`,
    `bits_unsupported` or `too_many_pixels`.
    """
    if "PixelData" not in ds or not ds["PixelData"].value:
        raise Undecodable("the object holds no pixels", code="pixels_missing")
    if int(ds.get("NumberOfFrames") or 1) > 1:
        raise Undecodable("the object holds several frames", code="multi_frame")
    _check_grey(ds)
    needed = ("Rows", "Columns", "BitsAllocated", "BitsStored", "PixelRepresentation")
    missing = [keyword for keyword in needed if ds.get(keyword) in (None, "")]
    if missing:
        raise Undecodable(f"the object lacks {', '.join(missing)}", code="attributes_missing")
    layout = PixelLayout(
        rows=int(ds.Rows),
        columns=int(ds.Columns),
        allocated=int(ds.BitsAllocated),
        bits=int(ds.BitsStored),
        # PS3.3 C.7.6.3.1: HighBit is BitsStored - 1 in every image class; old objects leave it out.
        high_bit=int(ds.get("HighBit", int(ds.BitsStored) - 1)),
        is_signed=int(ds.PixelRepresentation) == 1,
    )
    _check_depth_and_size(layout, max_pixels=max_pixels)
    return layout


def values_of(pattern: BitPattern, layout: PixelLayout, *, shift: int = 0) -> StoredPixels:
    """Read bit patterns as stored values: shifted, overlay and garbage bits dropped, sign extended.

    Returns a view when nothing needs to change.
    """
    unsigned = np.dtype(f"u{layout.allocated // 8}")
    pattern = pattern.astype(unsigned, copy=False)
    value_type = np.dtype(f"{'i' if layout.is_signed else 'u'}{layout.allocated // 8}")
    plain: StoredPixels = pattern.view(value_type)
    if shift == 0 and (layout.bits == layout.allocated or _fits(plain, layout)):
        return plain
    mask = unsigned.type((1 << layout.bits) - 1)
    values = (pattern >> unsigned.type(shift)) & mask
    if layout.is_signed:
        sign = unsigned.type(1 << (layout.bits - 1))
        values = (values ^ sign) - sign
    kept: StoredPixels = values.view(value_type)
    return kept


def clipped_values_of(pattern: BitPattern, layout: PixelLayout, *, precision: int) -> StoredPixels:
    """Read the samples of a lossy stream of `precision` bits as stored values, clipped to the stored range.

    A lossy codec overshoots (1024 in a 10-bit image): masking would turn the brightest into the darkest.
    """
    wide = PixelLayout(
        layout.rows, layout.columns, layout.allocated, precision, precision - 1, is_signed=layout.is_signed
    )
    values = values_of(pattern, wide)
    if _fits(values, layout):
        return values
    clipped: StoredPixels = np.clip(values, layout.least, layout.most)
    return clipped


def _check_grey(ds: Dataset) -> None:
    photometry = str(ds.get("PhotometricInterpretation") or "")
    if int(ds.get("SamplesPerPixel") or 1) != 1:
        raise Undecodable("the image is in colour", code="colour")
    if not photometry:
        raise Undecodable("the object lacks PhotometricInterpretation", code="attributes_missing")
    if photometry not in ("MONOCHROME1", "MONOCHROME2"):
        raise Undecodable("the image is in colour", code="colour")


def _check_depth_and_size(layout: PixelLayout, *, max_pixels: int) -> None:
    bits, allocated = layout.bits, layout.allocated
    if allocated not in (8, 16) or not 1 <= bits <= layout.high_bit + 1 <= allocated:
        message = f"{bits} bits of {allocated} with high bit {layout.high_bit} are not read"
        raise Undecodable(message, code="bits_unsupported")
    if not layout.pixels:
        raise Undecodable("the image has no rows or no columns", code="pixels_missing")
    if layout.pixels > max_pixels:
        message = f"{layout.rows} x {layout.columns} is more than {max_pixels} pixels"
        raise Undecodable(message, code="too_many_pixels")


def _fits(values: StoredPixels, layout: PixelLayout) -> bool:
    return bool(values.max() <= layout.most and values.min() >= layout.least)
