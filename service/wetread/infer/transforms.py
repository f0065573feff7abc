"""Modality LUT, VOI LUT and window of PS3.3 C.11, as curves over all possible values."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from pydicom import Dataset
from pydicom.multival import MultiValue

from wetread.infer.dataset import PARSER_ERRORS

Curve: TypeAlias = NDArray[np.float64]

_LUT_BITS = range(8, 17)


class BrokenTransform(ValueError):
    """A LUT, rescale or window that does not hold together."""


@dataclass(frozen=True, slots=True)
class LookUpTable:
    """One item of a Modality or VOI LUT Sequence: `entries` for inputs from `first` on."""

    first: int
    bits: int
    entries: Curve

    def apply(self, values: Curve) -> Curve:
        """Inputs below the first or above the last entry take that entry (C.11.1.1.1)."""
        positions = np.clip(np.rint(values) - self.first, 0, len(self.entries) - 1)
        taken: Curve = self.entries[positions.astype(np.int64)]
        return taken


def value_of(ds: Dataset, keyword: str) -> object:
    """An element's value, None when absent. Raises BrokenTransform when its bytes make no sense."""
    try:
        value: object = ds.get(keyword)
    except PARSER_ERRORS as error:
        raise BrokenTransform(f"{keyword} cannot be read") from error
    return value


def modality_of(ds: Dataset, stored: Curve) -> Curve:
    """Stored values to what they mean: LUT sequence, else rescale, else as they are (C.11.1)."""
    if value_of(ds, "ModalityLUTSequence"):
        return _look_up_table(ds, ds.ModalityLUTSequence[0], least_input=stored[0]).apply(stored)
    slope = _first_number(ds, "RescaleSlope")
    intercept = _first_number(ds, "RescaleIntercept")
    if slope == 0.0:
        raise BrokenTransform("a rescale slope of zero")
    return stored * (1.0 if slope is None else slope) + (intercept or 0.0)


def voi_lut_of(ds: Dataset, modality: Curve) -> Curve | None:
    """The first VOI LUT, as 0..1 of its declared output range; None without one (C.11.2.1.1)."""
    if not value_of(ds, "VOILUTSequence"):
        return None
    table = _look_up_table(ds, ds.VOILUTSequence[0], least_input=float(modality.min()))
    return np.clip(table.apply(modality) / ((1 << table.bits) - 1), 0.0, 1.0)


def window_of(ds: Dataset, modality: Curve) -> Curve | None:
    """The first window as 0..1; None without one.

    LINEAR (C.11.2.1.2.1) needs a width of at least 1, SIGMOID (C.11.2.1.3.1) and LINEAR_EXACT
    (C.11.2.1.3.2) more than 0.
    """
    centre, width = _first_number(ds, "WindowCenter"), _first_number(ds, "WindowWidth")
    if centre is None or width is None:
        return None
    function = str(value_of(ds, "VOILUTFunction") or "LINEAR")
    if width <= 0 or (function == "LINEAR" and width < 1):
        raise BrokenTransform("a window without width")
    if function == "LINEAR":
        return _linear(modality, centre=centre, width=width)
    if function == "LINEAR_EXACT":
        return np.clip((modality - centre) / width + 0.5, 0.0, 1.0)
    if function == "SIGMOID":
        # The exponent is bounded so that a narrow window does not overflow float64.
        return 1.0 / (1.0 + np.exp(np.clip(-4.0 * (modality - centre) / width, -700.0, 700.0)))
    raise BrokenTransform("an unknown VOI LUT function")


def _linear(modality: Curve, *, centre: float, width: float) -> Curve:
    if width == 1.0:
        return np.where(modality > centre - 0.5, 1.0, 0.0)
    return np.clip((modality - (centre - 0.5)) / (width - 1.0) + 0.5, 0.0, 1.0)


def _look_up_table(ds: Dataset, item: Dataset, *, least_input: float) -> LookUpTable:
    """Read a descriptor (entries, first input, bits) and its data (C.11.1.1.1, C.11.2.1.1)."""
    try:
        count, first, bits = (int(number) for number in item.LUTDescriptor)
        entries = _entries(item.LUTData, count=count or 65_536, is_little=_is_little_endian(ds))
    except PARSER_ERRORS as error:
        raise BrokenTransform("a LUT without descriptor or data") from error
    if bits not in _LUT_BITS or len(entries) < (count or 65_536):
        raise BrokenTransform("a LUT that contradicts its descriptor")
    return LookUpTable(_as_signed_like(first, least_input=least_input), bits, entries[: count or 65_536])


def _entries(data: object, *, count: int, is_little: bool) -> Curve:
    """LUT Data is OW bytes (8-bit entries may be packed, C.11.1.1.1) or a list of US or SS."""
    if isinstance(data, bytes):
        is_packed = len(data) < 2 * count
        words = np.frombuffer(data, dtype="u1" if is_packed else ("<u2" if is_little else ">u2"))
    else:
        words = np.atleast_1d(np.asarray(data, dtype=np.int64)) & 0xFFFF
    return words.astype(np.float64)


def _as_signed_like(first: int, *, least_input: float) -> int:
    """The first input is US or SS after its input's sign, and often encoded as the other."""
    if first > 0x7FFF and least_input < 0:
        return first - 0x10000
    return first + 0x10000 if first < 0 <= least_input else first


def _is_little_endian(ds: Dataset) -> bool:
    return ds.original_encoding[1] is not False


def _first_number(ds: Dataset, keyword: str) -> float | None:
    """First value of a decimal string, None when absent or empty."""
    value = value_of(ds, keyword)
    if isinstance(value, MultiValue):
        value = value[0] if len(value) else None
    if value is None or value == "":
        return None
    try:
        number = float(str(value))
    except ValueError as error:
        raise BrokenTransform(f"{keyword} is not a number") from error
    if not math.isfinite(number):
        raise BrokenTransform(f"{keyword} is not finite")
    return number
