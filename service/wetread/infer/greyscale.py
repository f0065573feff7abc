"""The grey scale of one image: stored value to display value, as one table.

The steps of PS3.4 N.2: modality LUT, VOI LUT or window, polarity. Each is computed in float64 over
every value that can be stored, once, and rounded to float32 at the end.
"""

from __future__ import annotations

import math
import warnings
from dataclasses import dataclass
from typing import TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray
from pydicom import Dataset
from pydicom.multival import MultiValue

from wetread.infer.decode import DecodedImage
from wetread.infer.transforms import BrokenTransform, Curve, modality_of, value_of, voi_lut_of, window_of

Indices: TypeAlias = NDArray[np.int64]

# Without a VOI the grey scale spans these percentiles of the image, so that a marker or a dead pixel
# does not compress the anatomy. An image of 8 bits has been windowed once already: its full range.
ROBUST_PERCENTILES = (0.5, 99.5)
_WINDOWED_BITS = 8

# A VOI that leaves less than this between these percentiles of the image shows nothing to a reader.
_LEAST_CONTRAST = 0.05
_CONTRAST_PERCENTILES = (1.0, 99.0)

_SAMPLED_PIXELS = 65_536
_SQUARE_WITHIN = 0.01


@dataclass(frozen=True, slots=True)
class GreyScale:
    """One table over the bit patterns of the stored values, and what was odd in the header.

    `table` has 256 or 65,536 entries, 0..1, dense tissue bright. `notes` are stable codes:
    `modality_lut_broken`, `voi_broken`, `voi_flat`, `polarity_contradicts`, `pixels_not_square`,
    `attributes_broken`. `own_range`: the least and the greatest modality value shown, where the image's
    own range is shown and not a VOI of the header.
    """

    table: NDArray[np.float32]
    notes: tuple[str, ...]
    own_range: tuple[float, float] | None = None

    def apply(self, image: DecodedImage) -> NDArray[np.float32]:
        """Look every pixel up: (rows, columns), 0..1."""
        pattern = image.stored.view(np.dtype(f"u{image.stored.dtype.itemsize}"))
        return np.asarray(cv2.LUT(pattern, self.table), dtype=np.float32)


def grey_scale_of(image: DecodedImage) -> GreyScale:
    """Work out the grey scale that the header asks for.

    Modality: LUT sequence or rescale (PS3.3 C.11.1). VOI: LUT sequence before window, the first of
    several (C.11.2). Without a VOI, or with one that is broken or shows nothing (said in the notes),
    the range of the image itself: `ROBUST_PERCENTILES`, or the full range at 8 bits.
    """
    notes: list[str] = []
    with warnings.catch_warnings():
        # Elements are converted when first used, and pydicom's warnings quote their values.
        warnings.simplefilter("ignore")
        shown, own_range = _curve(image, notes)
        if not _has_square_pixels(image.ds, notes):
            notes.append("pixels_not_square")
    return GreyScale(_table(shown, image), tuple(dict.fromkeys(notes)), own_range)


def _curve(image: DecodedImage, notes: list[str]) -> tuple[Curve, tuple[float, float] | None]:
    """What each value that can be stored is shown as, 0..1; and the range where no VOI says it."""
    stored = np.arange(image.layout.least, image.layout.most + 1, dtype=np.float64)
    sample = _sample(image, notes)
    try:
        modality = modality_of(image.ds, stored)
        shown = _with_voi(image.ds, modality, sample=sample, notes=notes)
    except BrokenTransform:
        notes.append("modality_lut_broken")
        modality, shown = stored, None
    own_range = None
    if shown is None:
        own_range = _own_range(image, modality, sample=sample)
        shown = _spread(modality, *own_range)
    return (1.0 - shown if _is_inverted(image.ds, notes) else shown), own_range


def _with_voi(ds: Dataset, modality: Curve, *, sample: Indices, notes: list[str]) -> Curve | None:
    """The first VOI that holds together and shows something; None when there is none."""
    for transform in (voi_lut_of, window_of):
        try:
            shown = transform(ds, modality)
        except BrokenTransform:
            notes.append("voi_broken")
            continue
        if shown is None:
            continue
        darkest, brightest = np.percentile(shown[sample], _CONTRAST_PERCENTILES)
        if brightest - darkest >= _LEAST_CONTRAST:
            return shown
        notes.append("voi_flat")
    return None


def _own_range(image: DecodedImage, modality: Curve, *, sample: Indices) -> tuple[float, float]:
    if image.layout.bits <= _WINDOWED_BITS:
        return float(modality.min()), float(modality.max())
    low, high = (float(value) for value in np.percentile(modality[sample], ROBUST_PERCENTILES))
    return low, high


def _spread(modality: Curve, low: float, high: float) -> Curve:
    if high <= low:
        return np.where(modality > low, 1.0, 0.0)
    return np.clip((modality - low) / (high - low), 0.0, 1.0)


def _sample(image: DecodedImage, notes: list[str]) -> Indices:
    """Some ten thousands of pixels, evenly spread, as positions in the curve; padding left out.

    Source: PS3.3 C.7.5.1.1.2 (pixel padding value and range limit).
    """
    stride = max(1, math.isqrt(image.layout.pixels // _SAMPLED_PIXELS))
    values = image.stored[::stride, ::stride].astype(np.int64).ravel()
    padding = _optional(image.ds, "PixelPaddingValue", notes)
    if isinstance(padding, int):
        limit = _optional(image.ds, "PixelPaddingRangeLimit", notes)
        ends = (padding, limit if isinstance(limit, int) else padding)
        is_image = (values < min(ends)) | (values > max(ends))
        values = values[is_image] if is_image.any() else values
    return values - image.layout.least


def _is_inverted(ds: Dataset, notes: list[str]) -> bool:
    """MONOCHROME1 shows its smallest value white (PS3.3 C.7.6.3.1.2).

    Presentation LUT Shape INVERSE says the same again: a DX image has it exactly when it is
    MONOCHROME1 (C.8.11.3.1, C.11.6.1), so the two are one inversion. Where they contradict each other the
    photometric interpretation decides: it is mandatory in every image, the shape is not.
    """
    is_inverted = str(ds.PhotometricInterpretation) == "MONOCHROME1"
    shape = _optional(ds, "PresentationLUTShape", notes)
    if shape in ("IDENTITY", "INVERSE") and (shape == "INVERSE") != is_inverted:
        notes.append("polarity_contradicts")
    return is_inverted


def _has_square_pixels(ds: Dataset, notes: list[str]) -> bool:
    for keyword in ("PixelAspectRatio", "ImagerPixelSpacing", "PixelSpacing"):
        value = _optional(ds, keyword, notes)
        if not isinstance(value, MultiValue) or len(value) != 2:
            continue
        try:
            vertical, horizontal = float(value[0]), float(value[1])
        except (TypeError, ValueError):
            # A decimal comma, say: it only refines a note.
            notes.append("attributes_broken")
            continue
        if abs(vertical - horizontal) > _SQUARE_WITHIN * max(vertical, horizontal):
            return False
    return True


def _optional(ds: Dataset, keyword: str, notes: list[str]) -> object:
    """The value of an element that only refines the picture; noted and left out when unreadable."""
    try:
        return value_of(ds, keyword)
    except BrokenTransform:
        notes.append("attributes_broken")
        return None


def _table(shown: Curve, image: DecodedImage) -> NDArray[np.float32]:
    """Spread the curve over all bit patterns: a negative value is its two's complement."""
    size = 1 << image.layout.allocated
    values = np.arange(image.layout.least, image.layout.most + 1)
    table = np.zeros(size, dtype=np.float32)
    table[values & (size - 1)] = shown
    return table
