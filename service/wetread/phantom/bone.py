"""Bones as X-rays see them: a contour, a cortex, a spongy inside, and a break through them."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from wetread.phantom.film import Plane, smooth_noise, soften

Points = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Bone:
    """A bone's outline in millimetres, (n, 2) control points of a closed curve.

    `cortex_mm` is the thickness of its shell in the shaft; at the ends it thins to a third,
    over the `ends_mm` next to `top` and `bottom` (None: a short bone, thin-shelled throughout).
    """

    outline: Points
    cortex_mm: float
    top: float | None = None
    bottom: float | None = None
    ends_mm: float = 45.0


@dataclass(frozen=True, slots=True)
class Break:
    """A fracture plane through (x, y) mm.

    `slope` is its rise per mm across the bone; the fragments part by `gap_mm`, step sideways by
    `step_mm` in all, and come back into line within `reach_mm` of the break.
    """

    x: float
    y: float
    slope: float
    gap_mm: float
    step_mm: float
    reach_mm: float
    jag_seed: int


@dataclass(frozen=True, slots=True)
class Sheet:
    """Maps millimetres to pixels: `origin` is the pixel (x, y) of the anatomy's (0, 0)."""

    rows: int
    columns: int
    scale: float
    origin: tuple[float, float]

    def to_px(self, points_mm: Points) -> Points:
        """Pixel coordinates of points in millimetres."""
        return np.asarray(points_mm * self.scale + np.array(self.origin), dtype=np.float64)

    def millimetres(self) -> tuple[Plane, Plane]:
        """The x of every column, (1, columns), and the y of every row, (rows, 1), in millimetres."""
        x = (np.arange(self.columns, dtype=np.float32) - np.float32(self.origin[0])) / np.float32(self.scale)
        y = (np.arange(self.rows, dtype=np.float32) - np.float32(self.origin[1])) / np.float32(self.scale)
        return x[None, :], y[:, None]


def closed_curve(points: Points, *, steps: int = 8) -> Points:
    """A smooth closed curve through the points (uniform Catmull-Rom)."""
    before, after, beyond = (np.roll(points, shift, axis=0)[:, None] for shift in (1, -1, -2))
    here = points[:, None]
    t = (np.arange(steps) / steps)[None, :, None]
    curve = 0.5 * (
        2 * here
        + (after - before) * t
        + (2 * before - 5 * here + 4 * after - beyond) * t**2
        + (3 * here - before - 3 * after + beyond) * t**3
    )
    return np.asarray(curve.reshape(-1, 2), dtype=np.float64)


def open_curve(points: Points, *, steps: int = 8) -> Points:
    """A smooth curve through the points, from the first to the last."""
    there_and_back = np.concatenate([points, points[-2:0:-1]])
    return closed_curve(there_and_back, steps=steps)[: steps * (len(points) - 1) + 1]


def fill(shape: tuple[int, int], polygon_px: Points) -> NDArray[np.uint8]:
    """A filled polygon, 255 inside, vertices to a sixteenth of a pixel."""
    mask = np.zeros(shape, np.uint8)
    cv2.fillPoly(mask, [np.round(polygon_px * 16).astype(np.int32)], (255,), cv2.LINE_8, 4)
    return mask


def depth_inside(mask: NDArray[np.uint8]) -> Plane:
    """Distance in pixels from the outline, 0 outside."""
    return np.asarray(cv2.distanceTransform(mask, cv2.DIST_L2, cv2.DIST_MASK_5), dtype=np.float32)


def local_radius(depth: Plane) -> Plane:
    """Half the local width of the shape that `depth` lies in: greatest depth nearby, in pixels."""
    greatest = float(depth.max())
    step = max(1, int(greatest / 4))
    small = cv2.resize(depth, None, fx=1 / step, fy=1 / step, interpolation=cv2.INTER_AREA)
    reach = 2 * int(np.ceil(1.15 * greatest / step)) + 1
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (reach, reach))
    widest = cv2.GaussianBlur(cv2.dilate(small, disc), (0, 0), 0.25 * reach)
    return np.maximum(cv2.resize(widest, (depth.shape[1], depth.shape[0])), depth)


def chord(depth: Plane, radius: Plane) -> Plane:
    """Path length through a round body of this radius, `depth` below its outline, in pixels."""
    inner = np.clip(depth, 0.0, None)
    return np.asarray(2.0 * np.sqrt(inner * np.clip(2.0 * radius - inner, 0.0, None)), dtype=np.float32)


def _shell_mm(bone: Bone, rows_mm: NDArray[np.float32]) -> Plane:
    if bone.top is None or bone.bottom is None:
        return np.full_like(rows_mm, bone.cortex_mm)
    end = np.minimum(rows_mm - bone.top, bone.bottom - rows_mm)
    grown = np.clip(end / bone.ends_mm, 0.0, 1.0)
    return np.asarray(bone.cortex_mm * (0.3 + 0.7 * grown**1.5), dtype=np.float32)


def attenuation(bone: Bone, sheet: Sheet, window: tuple[int, int, int, int], texture: Plane) -> Plane:
    """Mineral in the beam's way, in millimetres of compact bone, over a pixel window.

    `window` is left, top, right, bottom; `texture` is unit-variance noise over the whole sheet.
    The shell is compact; the inside holds sponge, dense near the joints and sparse in the shaft.
    """
    left, top, right, bottom = window
    polygon = sheet.to_px(closed_curve(bone.outline)) - np.array([left, top])
    depth = depth_inside(fill((bottom - top, right - left), polygon))
    radius = local_radius(depth)
    rows_mm = ((np.arange(top, bottom, dtype=np.float32) - sheet.origin[1]) / sheet.scale)[:, None]
    shell_mm = _shell_mm(bone, rows_mm)
    shell = np.minimum(shell_mm * sheet.scale, 0.6 * radius)
    inside = chord(depth - shell, np.maximum(radius - shell, 1.0))
    spongy = np.clip(1.25 - shell_mm / max(bone.cortex_mm, 0.1), 0.12, 1.0) if bone.top is not None else 0.85
    sponge = 0.20 * spongy * (1.0 + 0.20 * texture[top:bottom, left:right])
    mineral = (chord(depth, radius) - inside + sponge * inside) / sheet.scale
    return soften(np.asarray(mineral, dtype=np.float32), 0.22 * sheet.scale)


def tube(base: tuple[float, float], length_mm: float, direction_deg: float, width_mm: float) -> Bone:
    """A short tubular bone from its base, `direction_deg` from straight down towards +x."""
    half = width_mm / 2
    side = [
        (1.0, 0.0),
        (1.18, 0.06),
        (1.05, 0.14),
        (0.72, 0.3),
        (0.66, 0.55),
        (0.8, 0.8),
        (1.0, 0.9),
        (0.85, 0.985),
    ]
    left = [(-half * wide, length_mm * along) for wide, along in side]
    right = [(half * wide, length_mm * along) for wide, along in reversed(side)]
    angle = np.deg2rad(direction_deg)
    turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    return Bone(np.array([*left, (0.0, length_mm), *right]) @ turn.T + np.array(base), 0.19 * width_mm)


def bone_window(bone: Bone, sheet: Sheet, *, margin_mm: float = 4.0) -> tuple[int, int, int, int]:
    """The pixel window a bone needs, with a margin, cut to the sheet: left, top, right, bottom."""
    points = sheet.to_px(closed_curve(bone.outline))
    margin = margin_mm * sheet.scale
    left, top = np.floor(points.min(axis=0) - margin).astype(int)
    right, bottom = np.ceil(points.max(axis=0) + margin).astype(int)
    return max(left, 0), max(top, 0), min(right, sheet.columns), min(bottom, sheet.rows)


def snap(mineral: Plane, fracture: Break, sheet: Sheet, window: tuple[int, int, int, int]) -> Plane:
    """Break a bone: the two fragments part along a jagged plane and step sideways.

    Where fragments overlap the shadow doubles, where they part it is gone, as on a film.
    """
    left, top, _, _ = window
    x, y = np.meshgrid(
        np.arange(mineral.shape[1], dtype=np.float32), np.arange(mineral.shape[0], dtype=np.float32)
    )
    centre = sheet.to_px(np.array([fracture.x, fracture.y])) - np.array([left, top])
    jag = _jag(mineral.shape[1], fracture, sheet)
    fade = np.clip(1.0 - np.abs(y - centre[1]) / (fracture.reach_mm * sheet.scale), 0.0, 1.0)
    fade = np.asarray(fade * fade * (3.0 - 2.0 * fade), dtype=np.float32)
    fragments = np.zeros_like(mineral)
    for side in (-1.0, 1.0):
        shift_x = np.float32(side * 0.5 * fracture.step_mm * sheet.scale) * fade
        shift_y = np.float32(side * 0.5 * fracture.gap_mm * sheet.scale) * fade
        source_x, source_y = x - shift_x, y - shift_y
        plane = source_y - centre[1] - np.float32(fracture.slope) * (source_x - centre[0]) - jag[None, :]
        kept = np.clip(0.5 + side * plane / (0.35 * sheet.scale), 0.0, 1.0)
        moved = cv2.remap(mineral, source_x, source_y, cv2.INTER_LINEAR)
        fragments += np.asarray(moved * kept, dtype=np.float32)
    return fragments


def _jag(columns: int, fracture: Break, sheet: Sheet) -> Plane:
    rng = np.random.default_rng(fracture.jag_seed)
    coarse = smooth_noise(rng, (3, columns), (2.4 * sheet.scale, 1.0))[0]
    fine = smooth_noise(rng, (3, columns), (0.7 * sheet.scale, 1.0))[0]
    return np.asarray((0.75 * coarse + 0.35 * fine) * sheet.scale, dtype=np.float32)
