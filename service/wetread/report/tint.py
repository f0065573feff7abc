"""Evidence as colour over grey: one scale for the picture and for its legend."""

from __future__ import annotations

from functools import cache
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

HeatMap = NDArray[np.float16] | NDArray[np.float32]

# Below it nothing is coloured: a network's floor is not a finding. Measured on test films: nine tenths of
# all places have less than 0.04 on limbs and 0.12 in chests.
LEAST_EVIDENCE: Final = 0.1
# Full colour from here on, and then the film is still half of what is seen.
_DENSE_FROM: Final = 0.3
_DENSEST: Final = 0.5
# Plasma grows evenly lighter, so it reads the same in every kind of colour blindness and in print. Its
# first quarter is left out: over a dark film nobody sees it.
_FIRST: Final = 64


def tint(picture: NDArray[np.uint8], heat_map: HeatMap) -> None:
    """Colour a picture, (rows, columns, 3), in place: the more evidence the warmer and the denser.

    `heat_map` is 0..1, of any size, spread over the whole picture. Grey stays as it is where the evidence is
    under `LEAST_EVIDENCE`. The scale is absolute: weak evidence looks weak, whatever else is on the film.
    """
    rows, columns = picture.shape[:2]
    grown = cv2.resize(heat_map.astype(np.float32), (columns, rows), interpolation=cv2.INTER_CUBIC)
    levels = cv2.convertScaleAbs(np.clip(grown, 0.0, 1.0), alpha=255.0)
    colours, opacities = _scale()
    left, top, wide, high = cv2.boundingRect((levels >= round(255 * LEAST_EVIDENCE)).astype(np.uint8))
    warm = levels[top : top + high, left : left + wide]
    if not warm.size:
        return
    region, opacity = picture[top : top + high, left : left + wide], cv2.LUT(warm, opacities)
    for channel in range(3):
        plane = region[..., channel].astype(np.float32)
        plane += (cv2.LUT(warm, colours[channel]) - plane) * opacity
        region[..., channel] = (plane + 0.5).astype(np.uint8)


def colour_bar(rows: int, columns: int, *, grey: int) -> NDArray[np.uint8]:
    """The scale from 0 to 1, left to right, as it looks over a film of one grey."""
    bar = np.full((rows, columns, 3), grey, np.uint8)
    tint(bar, np.repeat(np.linspace(0.0, 1.0, columns, dtype=np.float32)[None], rows, axis=0))
    return bar


@cache
def _scale() -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Colour, (3, 256), and opacity, (256,), of every level of evidence."""
    steps = np.linspace(_FIRST, 255, 256).round().astype(np.uint8)[:, None]
    colours = cv2.applyColorMap(steps, cv2.COLORMAP_PLASMA)[:, 0, ::-1].T.astype(np.float32)
    evidence = np.linspace(0.0, 1.0, 256, dtype=np.float32)
    rise = np.clip((evidence - LEAST_EVIDENCE) / (_DENSE_FROM - LEAST_EVIDENCE), 0.0, 1.0)
    return np.ascontiguousarray(colours), (_DENSEST * np.sqrt(rise)).astype(np.float32)
