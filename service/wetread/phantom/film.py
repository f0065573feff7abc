"""The sheet a phantom is exposed on: grain, collimation, lead marker and the stored 12 bits."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

Plane = NDArray[np.float32]

STORED_MAXIMUM = 4095

# Lead letters as strokes, x and y from -0.5 to 0.5: OpenCV's own fonts differ between versions.
LETTERS: dict[str, tuple[tuple[tuple[float, float], ...], ...]] = {
    "L": (((-0.42, -0.5), (-0.42, 0.5), (0.45, 0.5)),),
    "R": (
        (
            (-0.42, 0.5),
            (-0.42, -0.5),
            (0.12, -0.5),
            (0.36, -0.42),
            (0.45, -0.24),
            (0.36, -0.06),
            (0.12, 0.02),
            (-0.42, 0.02),
        ),
        ((0.02, 0.02), (0.48, 0.5)),
    ),
}


@dataclass(frozen=True, slots=True)
class Phantom:
    """One drawn radiograph and its ground truth.

    `pixels` is (rows, columns), 12 bits stored, 0..4095, dense tissue bright (MONOCHROME2).
    `body_part` and `view` are defined terms (PS3.16 annex L; PS3.3 C.7.3.1.1.2 View Position).
    `boxes` are left, top, right, bottom of the planted lesion in pixels, right and bottom
    exclusive; empty when there is none. `spacing_mm` is the pixel pitch at the detector.
    """

    pixels: NDArray[np.uint16]
    body_part: str
    view: str
    laterality: str
    boxes: tuple[tuple[float, float, float, float], ...] = ()
    spacing_mm: float = 0.34


def soften(plane: Plane, sigma_px: float) -> Plane:
    """Gaussian blur; a wide one is done on a smaller plane, so that its cost does not grow."""
    step = int(sigma_px / 2.5)
    if step < 2:
        return np.asarray(cv2.GaussianBlur(plane, (0, 0), sigma_px), dtype=np.float32)
    size = (plane.shape[1], plane.shape[0])
    small = cv2.resize(
        plane, (max(1, size[0] // step), max(1, size[1] // step)), interpolation=cv2.INTER_AREA
    )
    small = cv2.GaussianBlur(small, (0, 0), sigma_px / step)
    return np.asarray(cv2.resize(small, size, interpolation=cv2.INTER_LINEAR), dtype=np.float32)


def smooth_noise(rng: np.random.Generator, shape: tuple[int, int], sigma_px: tuple[float, float]) -> Plane:
    """Correlated Gaussian noise of unit variance; `sigma_px` is the grain's (x, y) size.

    Coarse grain is drawn small and enlarged, so that the cost does not grow with the grain.
    """
    step_x, step_y = (max(1, int(sigma / 2.0)) for sigma in sigma_px)
    small = rng.standard_normal((shape[0] // step_y + 3, shape[1] // step_x + 3), dtype=np.float32)
    blurred = cv2.GaussianBlur(
        small, (0, 0), sigmaX=max(sigma_px[0] / step_x, 0.3), sigmaY=max(sigma_px[1] / step_y, 0.3)
    )
    large = cv2.resize(blurred, (shape[1], shape[0]), interpolation=cv2.INTER_CUBIC)
    return np.asarray((large - large.mean()) / max(float(large.std()), 1e-6), dtype=np.float32)


def add_grain(grey: Plane, rng: np.random.Generator, *, amount: float) -> Plane:
    """Add quantum noise (fine, and slightly correlated as a phosphor makes it) to grey 0..1.

    Strongest where few quanta arrive, which on a processed film is where tissue is bright.
    """
    fine = rng.standard_normal(grey.shape, dtype=np.float32)
    mottle = cv2.GaussianBlur(fine, (0, 0), 1.1) * 2.4
    weight = amount * (0.35 + np.clip(grey, 0.0, 1.0))
    return np.asarray(grey + weight * (0.5 * fine + mottle), dtype=np.float32)


def collimate(grey: Plane, rng: np.random.Generator, *, margin: float, tilt_deg: float = 1.2) -> Plane:
    """Darken what the collimator's blades shade: a soft-edged, slightly tilted rectangle is open.

    `margin` is the widest border as a fraction of the shorter side.
    """
    rows, columns = grey.shape
    left, top, right, bottom = rng.uniform(0.25, 1.0, 4) * margin * min(rows, columns)
    corners = np.array(
        [[left, top], [columns - right, top], [columns - right, rows - bottom], [left, rows - bottom]]
    )
    turn = cv2.getRotationMatrix2D((columns / 2, rows / 2), float(rng.uniform(-tilt_deg, tilt_deg)), 1.0)
    turned = corners @ turn[:, :2].T + turn[:, 2]
    opened: Plane = np.zeros((rows, columns), np.float32)
    cv2.fillPoly(opened, [np.round(turned * 16).astype(np.int32)], (1.0,), cv2.LINE_8, 4)
    opened = soften(opened, 0.0022 * rows)
    return np.asarray(0.012 + (grey - 0.012) * (0.05 + 0.95 * opened), dtype=np.float32)


def stamp_marker(
    grey: Plane, letter: str, *, centre: tuple[float, float], size_px: float, tilt_deg: float
) -> None:
    """Lay a lead letter on the detector, in place: nearly white, slightly blurred, tilted as by hand.

    `centre` is (x, y) in pixels. The letter is never mirrored: it lies on the detector's tube side.
    """
    box = int(size_px * 2)
    stamp: Plane = np.zeros((box, box), np.float32)
    width = max(1, round(size_px / 5.5))
    for stroke in LETTERS[letter]:
        path = np.array(stroke) * size_px * np.array([0.62, 1.0]) + box / 2
        cv2.polylines(stamp, [np.round(path * 16).astype(np.int32)], False, (1.0,), width, cv2.LINE_8, 4)
    turn = cv2.getRotationMatrix2D((box / 2, box / 2), tilt_deg, 1.0)
    stamp = soften(np.asarray(cv2.warpAffine(stamp, turn, (box, box)), dtype=np.float32), 0.8)
    left = int(np.clip(centre[0] - box / 2, 0, grey.shape[1] - box))
    top = int(np.clip(centre[1] - box / 2, 0, grey.shape[0] - box))
    window = grey[top : top + box, left : left + box]
    window += (0.96 - window) * np.clip(stamp, 0.0, 1.0)


def store(grey: Plane) -> NDArray[np.uint16]:
    """Quantise grey 0..1 to 12 bits stored."""
    return np.asarray(np.clip(np.rint(grey * STORED_MAXIMUM), 0, STORED_MAXIMUM), dtype=np.uint16)
