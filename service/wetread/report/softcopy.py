"""The grey scale that a source's header asks for, as a presentation state carries it.

A presentation state replaces every transformation of its image (PS3.4 N.2): what it does not carry is not
applied. So modality LUT, window and polarity are read from the source and stated again.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
import pydicom
from numpy.typing import NDArray
from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset
from pydicom.valuerep import format_number_as_ds

from wetread.errors import Unreadable
from wetread.report.results import ImageResult
from wetread.report.source import UNREADABLE, quiet, raise_if_away, valid_value, values_of

_TAGS: Final = (
    "BitsStored", "PixelRepresentation", "RescaleSlope", "RescaleIntercept", "RescaleType",
    "ModalityLUTSequence", "WindowCenter", "WindowWidth", "VOILUTFunction", "VOILUTSequence",
)  # fmt: skip
_FUNCTIONS: Final = ("LINEAR", "LINEAR_EXACT", "SIGMOID")
_LUT_BITS: Final = range(8, 17)
_LUT_DESCRIPTOR: Final = 0x00283002
_LUT_DATA: Final = 0x00283006
_ODD: Final = (ValueError, TypeError, LookupError, AttributeError, ArithmeticError, NotImplementedError)


@dataclass(frozen=True, slots=True)
class Softcopy:
    """`modality` holds the elements of the Modality LUT module, none where the source has none.

    `voi` is the item of the Softcopy VOI LUT Sequence; `states_voi`: it is the source's own.
    """

    modality: Dataset
    voi: Dataset
    states_voi: bool
    is_inverted: bool


def softcopy_of(image: ImageResult, *, window: tuple[float, float] | None = None) -> Softcopy:
    """Read how an image is to be shown.

    As the picture we draw: `window`, the least and the greatest modality value shown, where that shows the
    image's own range, also when the source states a window and nothing is seen through it. Else the
    source's first VOI LUT, else its first window, else all values that can be stored. Raises Unreadable.
    """
    try:
        with quiet():
            ds = pydicom.dcmread(image.path, stop_before_pixels=True, force=True, specific_tags=list(_TAGS))
            modality, (low, high) = _modality(ds)
            voi = None if window else _voi_lut(ds, low) or _window(ds)
    except UNREADABLE as error:
        raise_if_away(error)
        raise Unreadable(f"the source's grey scale cannot be read: {type(error).__name__}") from error
    return Softcopy(
        modality=modality,
        voi=voi or _linear(*(window or (low, high))),
        states_voi=voi is not None,
        is_inverted=image.instance.header.PhotometricInterpretation == "MONOCHROME1",
    )


def _modality(ds: Dataset) -> tuple[Dataset, tuple[float, float]]:
    """The module's elements, and the range of what comes out (PS3.3 C.11.1)."""
    low, high = _stored_range(ds)
    made = Dataset()
    for item in values_of(ds, "ModalityLUTSequence")[:1]:
        table = _table(ds, item, least=low)
        if table is not None and isinstance(item, Dataset):
            table.ModalityLUTType = valid_value(item, "ModalityLUTType") or "US"
            made.ModalityLUTSequence = [table]
            values = _entries(table)
            return made, (float(values.min()), float(values.max()))
    slope, intercept = _first(ds, "RescaleSlope"), _first(ds, "RescaleIntercept")
    if (slope is None and intercept is None) or slope == 0:
        return made, (low, high)
    slope, intercept = 1.0 if slope is None else slope, intercept or 0.0
    ends = sorted((low * slope + intercept, high * slope + intercept))
    if not all(math.isfinite(end) for end in ends):
        return made, (low, high)
    made.RescaleIntercept, made.RescaleSlope = format_number_as_ds(intercept), format_number_as_ds(slope)
    made.RescaleType = valid_value(ds, "RescaleType") or "US"
    return made, (ends[0], ends[1])


def _stored_range(ds: Dataset) -> tuple[float, float]:
    bits = valid_value(ds, "BitsStored")
    levels = 1 << (bits if isinstance(bits, int) and 1 <= bits <= 16 else 16)
    if valid_value(ds, "PixelRepresentation") == 1:
        return -levels / 2, levels / 2 - 1
    return 0.0, levels - 1.0


def _voi_lut(ds: Dataset, least: float) -> Dataset | None:
    for item in values_of(ds, "VOILUTSequence")[:1]:
        table = _table(ds, item, least=least)
        if table is not None:
            _spread(table)
            made = Dataset()
            made.VOILUTSequence = [table]
            return made
    return None


def _spread(table: Dataset) -> None:
    """Entries of 10 bits, say, as the same part of 16, which a presentation state allows (PS3.3 C.11.8)."""
    most = (1 << table.LUTDescriptor[2]) - 1
    table.LUTData = np.clip(np.rint(_entries(table) * (65_535 / most)), 0, 65_535).astype("<u2").tobytes()
    table.LUTDescriptor = [*table.LUTDescriptor[:2], 16]


def _entries(table: Dataset) -> NDArray[np.uint16]:
    kind = "u1" if table.LUTDescriptor[2] == 8 else "<u2"
    count = table.LUTDescriptor[0] or 65_536
    return np.frombuffer(table.LUTData, kind)[:count].astype(np.uint16)


def _window(ds: Dataset) -> Dataset | None:
    """The first window where it holds together (PS3.3 C.11.2.1.2)."""
    centre, width = _first(ds, "WindowCenter"), _first(ds, "WindowWidth")
    function = valid_value(ds, "VOILUTFunction") or "LINEAR"
    if centre is None or width is None or function not in _FUNCTIONS:
        return None
    if width <= 0 or (function == "LINEAR" and width < 1):
        return None
    made = Dataset()
    made.WindowCenter, made.WindowWidth = format_number_as_ds(centre), format_number_as_ds(width)
    if function != "LINEAR":
        made.VOILUTFunction = function
    return made


def _linear(low: float, high: float) -> Dataset:
    """The window whose ends are these values (PS3.3 C.11.2.1.2.1)."""
    made = Dataset()
    made.WindowCenter = format_number_as_ds((float(low) + high + 1) / 2)
    made.WindowWidth = format_number_as_ds(max(float(high) - low, 0.0) + 1)
    return made


def _table(ds: Dataset, item: object, *, least: float) -> Dataset | None:
    """A LUT item made anew, or None where it does not hold together (PS3.3 C.11.1.1.1, C.11.2.1.1)."""
    if not isinstance(item, Dataset):
        return None
    try:
        count, first, bits = (int(number) for number in item.LUTDescriptor)
        words = _words(item.LUTData, count=count or 65_536, is_little=ds.original_encoding[1] is not False)
    except _ODD:
        return None
    if bits not in _LUT_BITS or len(words) < (count or 65_536):
        return None
    if least < 0 and first > 0x7FFF:
        first -= 0x10000
    made = Dataset()
    # The first value is signed as its input is, and the three share one representation.
    is_signed = first < 0 and count <= 0x7FFF
    descriptor = [count, first if is_signed else first & 0xFFFF, bits]
    made.add(DataElement(_LUT_DESCRIPTOR, "SS" if is_signed else "US", descriptor))
    # Entries of 8 bits stand two in a word.
    data = words[: count or 65_536].astype("u1" if bits == 8 else "<u2").tobytes()
    made.add(DataElement(_LUT_DATA, "OW", data + b"\x00" * (len(data) % 2)))
    return made


def entries_of(ds: Dataset, item: object) -> NDArray[np.int64] | None:
    """A LUT item's entries as numbers, None where it does not hold together. `ds` holds the item."""
    table = _table(ds, item, least=0.0)
    return None if table is None else _entries(table).astype(np.int64)


def _words(data: object, *, count: int, is_little: bool) -> NDArray[np.int64]:
    if isinstance(data, bytes):
        kind = "u1" if len(data) < 2 * count else ("<u2" if is_little else ">u2")
        return np.frombuffer(data, dtype=kind).astype(np.int64)
    return np.atleast_1d(np.asarray(data, dtype=np.int64)) & 0xFFFF


def _first(ds: Dataset, keyword: str) -> float | None:
    """The first number of a decimal string, however long; None where absent or not a number."""
    for value in values_of(ds, keyword)[:1]:
        try:
            number = float(str(value))
        except ValueError:
            return None
        return number if math.isfinite(number) else None
    return None
