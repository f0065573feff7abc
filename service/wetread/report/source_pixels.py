"""A look at a source's stored pixels that costs next to nothing: what the gate holds a picture against."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Final

import numpy as np
import pydicom
from numpy.typing import NDArray
from pydicom.dataset import Dataset
from pydicom.uid import ExplicitVRBigEndian, ExplicitVRLittleEndian, ImplicitVRLittleEndian

from wetread.report.softcopy import entries_of
from wetread.report.source import UNREADABLE, quiet, raise_if_away

_ORDER: Final = {ImplicitVRLittleEndian: "<", ExplicitVRLittleEndian: "<", ExplicitVRBigEndian: ">"}
_MONOCHROME: Final = {"MONOCHROME1": -1, "MONOCHROME2": 1}
# A table may turn the grey scale round; telling needs the whole of it.
_TABLES: Final = ("ModalityLUTSequence", "VOILUTSequence", "PresentationLUTSequence")
_READ: Final = (
    "PixelData", "Rows", "Columns", "BitsAllocated", "BitsStored", "HighBit", "PixelRepresentation",
    "PhotometricInterpretation", "SamplesPerPixel", "NumberOfFrames", "RescaleSlope", *_TABLES,
)  # fmt: skip
_DEFERRED_BYTES: Final = 4096
# What the gate looks at, each way.
SAMPLES_A_SIDE: Final = 256


def evenly(length: int, count: int) -> NDArray[np.intp]:
    """The middles of `count` equal parts of `length` pixels."""
    return ((np.arange(count) + 0.5) * length / count).astype(np.intp)


def sample_stored(path: Path, count: int) -> NDArray[np.int64] | None:
    """Stored values at `count` x `count` places spread evenly, their sign so that larger is brighter.

    Only these are read from the disk. None where that is not all it takes: compressed pixels, a look-up
    table, more than one grey frame, or a header that contradicts itself.
    Raises Transient when the disk is away.
    """
    try:
        with quiet():
            ds = pydicom.dcmread(path, defer_size=_DEFERRED_BYTES, force=True, specific_tags=list(_READ))
            return _sample(ds, path, count)
    except UNREADABLE as error:
        raise_if_away(error)
        return None


def sample_decoded(stored: NDArray[np.integer], ds: Dataset, count: int) -> NDArray[np.int64] | None:
    """The same of a matrix that is decoded already, (rows, columns), and of its header.

    Look-up tables do not hinder. None where one goes both ways, or the header contradicts itself.
    """
    try:
        with quiet():
            sign = _MONOCHROME.get(str(ds.get("PhotometricInterpretation"))), _direction(ds)
    except UNREADABLE:
        return None
    if None in sign:
        return None
    grid = stored[np.ix_(evenly(stored.shape[0], count), evenly(stored.shape[1], count))]
    return grid.astype(np.int64) * math.prod(part for part in sign if part)


def _direction(ds: Dataset) -> int | None:
    """1 where larger stored values become larger ones before polarity, -1 where smaller, None where both."""
    if "PresentationLUTSequence" in ds:
        return None
    modality = _table_direction(ds, "ModalityLUTSequence")
    # Of several the first counts; one that falls may have been left out as showing nothing.
    voi = _table_direction(ds, "VOILUTSequence")
    if modality is None or voi != 1:
        return None
    return modality if "ModalityLUTSequence" in ds or float(ds.get("RescaleSlope") or 1) > 0 else -1


def _table_direction(ds: Dataset, keyword: str) -> int | None:
    items = ds.get(keyword) or []
    if not items:
        return 1
    entries = entries_of(ds, items[0])
    steps = np.diff(entries) if entries is not None else np.zeros(0)
    return next((sign for sign in (1, -1) if steps.any() and (steps * sign >= 0).all()), None)


def _sample(ds: Dataset, path: Path, count: int) -> NDArray[np.int64] | None:
    order = _ORDER.get(ds.file_meta.get("TransferSyntaxUID", ""))
    sign = _MONOCHROME.get(str(ds.get("PhotometricInterpretation")))
    depth = int(ds.BitsAllocated)
    is_plain = int(ds.get("SamplesPerPixel") or 1) == 1 and int(ds.get("NumberOfFrames") or 1) == 1
    if order is None or sign is None or not is_plain or any(name in ds for name in _TABLES):
        return None
    if (depth != 16 and (depth, order) != (8, "<")) or not 0 < int(ds.BitsStored) <= depth:
        return None
    stored = _pixels(ds, path, dtype=f"{order}u{depth // 8}")
    if stored is None:
        return None
    grid = stored[np.ix_(evenly(stored.shape[0], count), evenly(stored.shape[1], count))].astype(np.int64)
    slope = float(ds.get("RescaleSlope") or 1)
    return _values(grid, ds) * sign * (1 if slope > 0 else -1)


def _pixels(ds: Dataset, path: Path, *, dtype: str) -> NDArray[np.uint8 | np.uint16] | None:
    """The matrix, on the disk where it was not read yet."""
    element = ds.get_item("PixelData", keep_deferred=True)
    shape = (int(ds.Rows), int(ds.Columns))
    size_bytes = shape[0] * shape[1] * np.dtype(dtype).itemsize
    offset, value = getattr(element, "value_tell", None), getattr(element, "value", None)
    if not size_bytes or (value is not None and len(value) < size_bytes):
        return None
    if value is not None:
        return np.frombuffer(value, dtype, count=shape[0] * shape[1]).reshape(shape)
    if offset is None or not size_bytes <= getattr(element, "length", 0) < 0xFFFFFFFF:
        return None
    return np.memmap(path, dtype, "r", offset=offset, shape=shape)


def _values(patterns: NDArray[np.int64], ds: Dataset) -> NDArray[np.int64]:
    """Bit patterns as numbers: bits outside BitsStored dropped, the sign extended (PS3.5 8.1.1)."""
    bits = int(ds.BitsStored)
    values = (patterns >> (int(ds.get("HighBit", bits - 1)) + 1 - bits)) & ((1 << bits) - 1)
    if int(ds.PixelRepresentation) == 1:
        half = 1 << (bits - 1)
        values = (values ^ half) - half
    return values
