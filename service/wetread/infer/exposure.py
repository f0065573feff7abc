"""Whether a displayed image shows anything at all: plain statistics, before any network is asked."""

from __future__ import annotations

import math
from typing import Final

import numpy as np
from numpy.typing import NDArray

from wetread.errors import Rejected

# Measured on every third of the 4,406 training films: greys between these percentiles span at least 0.32,
# and at least 0.32 of the pixels lie off both ends of the scale. A window may be wider, a finger smaller.
LEAST_SPAN: Final = 0.05
LEAST_SHARE_OFF_ENDS: Final = 0.06
_SPAN_PERCENTILES = (1.0, 99.0)
_END = 0.02

# The shortest side of a training film is 181 pixels, where it is not one grey from edge to edge.
LEAST_SIDE_PX: Final = 100
# A row that changes less than this along its length is margin.
_MARGIN_SPAN = 0.02

_SAMPLED_PIXELS = 262_144
_FLAT = "the picture is one grey: it shows nothing"


def check_exposure(display: NDArray[np.float32]) -> None:
    """Look at a displayed image (rows, columns), 0..1.

    Raises Rejected: `picture_flat` when it is one grey, `picture_too_small` when what is inside its margins
    is, `picture_saturated` when nearly all of it is black or white.
    """
    sample, step = _sample(display)
    # Before the percentiles: of a thumbnail in a large frame they see the frame alone.
    if np.ptp(sample) < LEAST_SPAN:
        raise Rejected(_FLAT, code="picture_flat")
    rows, columns = (step * side for side in _size_within_margins(sample))
    if min(rows, columns) < LEAST_SIDE_PX:
        message = f"the picture is too small: {columns} x {rows} pixels, {LEAST_SIDE_PX} are needed each way"
        raise Rejected(message, code="picture_too_small")
    if np.mean((sample > _END) & (sample < 1 - _END)) < LEAST_SHARE_OFF_ENDS:
        raise Rejected("the picture is saturated: nearly all is black or white", code="picture_saturated")
    if np.ptp(np.percentile(sample, _SPAN_PERCENTILES)) < LEAST_SPAN:
        raise Rejected(_FLAT, code="picture_flat")


def _sample(display: NDArray[np.float32]) -> tuple[NDArray[np.float32], int]:
    """Every so many pixels each way, so that a large image takes no longer than a small one."""
    step = max(1, math.isqrt(display.size // _SAMPLED_PIXELS))
    return display[::step, ::step], step


def _size_within_margins(sample: NDArray[np.float32]) -> tuple[int, int]:
    """Rows and columns between the first and the last that are not one grey."""
    sizes = []
    for axis in (1, 0):
        changes = np.flatnonzero(np.ptp(sample, axis=axis) >= _MARGIN_SPAN)
        sizes.append(int(changes[-1] - changes[0] + 1) if len(changes) else 0)
    return sizes[0], sizes[1]
