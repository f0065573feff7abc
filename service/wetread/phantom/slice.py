"""A CT slice through an abdomen of ellipses: what a radiograph reader must decline."""

from __future__ import annotations

import cv2
import numpy as np

from wetread.phantom.film import Phantom, Plane, smooth_noise, soften

SIDE = 512
SPACING_MM = 0.76
# Stored value = Hounsfield units + 1024, so that air is 24 and water 1024.
RESCALE_INTERCEPT = -1024


def draw_ct_slice(seed: int) -> Phantom:
    """Draw an axial slice, 512 x 512; `view` and `laterality` are empty, there is no lesion."""
    rng = np.random.default_rng([seed, 17])
    hounsfield = np.full((SIDE, SIDE), -1000.0, np.float32)
    wide, deep = rng.uniform(195, 218), rng.uniform(138, 156)
    _ellipse(hounsfield, (256, 262), (wide, deep), -95.0)
    _ellipse(hounsfield, (256, 262), (wide - 17, deep - 17), 48.0)
    _ellipse(hounsfield, (256, 248), (wide - 32, deep - 40), -70.0)
    _organs(hounsfield, rng)
    _spine(hounsfield)
    _couch(hounsfield)
    streaky = 14.0 * smooth_noise(rng, (SIDE, SIDE), (1.1, 1.1))
    stored = np.rint(soften(hounsfield, 0.9) + streaky) - RESCALE_INTERCEPT
    pixels = np.asarray(np.clip(stored, 0, 4095), dtype=np.uint16)
    return Phantom(pixels, "ABDOMEN", "", "", (), SPACING_MM)


def _ellipse(
    plane: Plane, centre: tuple[float, float], axes: tuple[float, float], value: float, turn_deg: float = 0
) -> None:
    at = (round(centre[0] * 16), round(centre[1] * 16))
    size = (round(axes[0] * 16), round(axes[1] * 16))
    cv2.ellipse(plane, at, size, turn_deg, 0, 360, (value,), -1, cv2.LINE_8, 4)


def _organs(plane: Plane, rng: np.random.Generator) -> None:
    shift = float(rng.uniform(-6, 6))
    _ellipse(plane, (176 + shift, 222), (92, 78), 62.0, -18)
    _ellipse(plane, (352, 250 + shift), (38, 52), 55.0, 24)
    _ellipse(plane, (300, 190), (46, 30), 30.0, 15)
    _ellipse(plane, (302, 178), (34, 13), -900.0, 8)
    for x, turn_deg in ((178, 20), (334, -20)):
        _ellipse(plane, (x, 312), (26, 34), 135.0, turn_deg)
        _ellipse(plane, (x + (10 if x < 256 else -10), 312), (10, 16), -40.0, turn_deg)
    _ellipse(plane, (270, 268), (14, 14), 165.0)
    _ellipse(plane, (236, 264), (13, 10), 120.0)


def _spine(plane: Plane) -> None:
    for x in (208, 304):
        _ellipse(plane, (x, 345), (34, 32), 55.0)
    _ellipse(plane, (256, 318), (31, 25), 420.0)
    _ellipse(plane, (256, 318), (27, 21), 210.0)
    _ellipse(plane, (256, 352), (20, 16), 480.0)
    _ellipse(plane, (256, 352), (12, 10), 25.0)
    _ellipse(plane, (256, 380), (6, 16), 450.0)
    for number in range(5):
        for side in (-1, 1):
            angle = np.deg2rad(20 + 26 * number)
            x, y = 256 + side * 172 * np.sin(angle), 262 + 118 * np.cos(angle)
            _ellipse(plane, (float(x), float(y)), (13, 5), 520.0, float(side * (20 + 26 * number)))


def _couch(plane: Plane) -> None:
    for radius, value in ((420, -700.0), (414, -960.0)):
        arc = np.array(cv2.ellipse2Poly((256, 20), (radius, radius), 0, 58, 122, 1))
        cv2.polylines(plane, [arc], False, (value,), 3 if value > -900 else 1, cv2.LINE_8)
