"""Lungs: their air, the vessels that branch through it, and a patch that has filled up."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from wetread.phantom import thorax
from wetread.phantom.bone import Points, Sheet, closed_curve, depth_inside, fill
from wetread.phantom.film import Plane, smooth_noise, soften
from wetread.phantom.thorax import Build


@dataclass(frozen=True, slots=True)
class Opacity:
    """A consolidation: `weight` 0..1 over the sheet and the box that holds it, in pixels."""

    weight: Plane
    box: tuple[float, float, float, float]


def lung_air(sheet: Sheet, build: Build) -> Plane:
    """Air in the beam's way, in millimetres, before heart and vessels take their place."""
    shape = (sheet.rows, sheet.columns)
    air = np.zeros(shape, np.float32)
    for outline in thorax.lungs(build):
        depth_mm = depth_inside(fill(shape, sheet.to_px(closed_curve(outline)))) / sheet.scale
        air += 56.0 * (1.0 - np.exp(-depth_mm / 2.0)) + 80.0 * (1.0 - np.exp(-depth_mm / 17.0))
    return soften(air, 0.7 * sheet.scale)


def vessel_tree(sheet: Sheet, build: Build, rng: np.random.Generator) -> Plane:
    """Lung vessels branching from the hila, and the hila themselves, in mm of soft tissue."""
    layers = [np.zeros((sheet.rows, sheet.columns), np.float32) for _ in range(2)]
    for side, hilum in ((-1.0, (-34.0, -8.0)), (1.0, (38.0, -16.0))):
        for heading in np.linspace(-70, 82, 11) + rng.uniform(-7, 7, 11):
            start = np.array(hilum) + rng.uniform((-4, -14), (4, 14))
            way = np.deg2rad(heading)
            _branch(layers, sheet, rng, (start, np.array([side * np.cos(way), np.sin(way)])), 4.6, 0)
    vessels = sum(soften(layer, 0.5 * sheet.scale) for layer in layers)
    hila = np.zeros((sheet.rows, sheet.columns), np.float32)
    for x, y in ((-37.0, -10.0), (-36.0, 8.0), (41.0, -19.0), (42.0, -2.0)):
        centre = sheet.to_px(np.array([x * build.width, y * build.height]))
        axes = (round(8 * sheet.scale), round(13 * sheet.scale))
        cv2.ellipse(
            hila,
            (round(float(centre[0])), round(float(centre[1]))),
            axes,
            12 * np.sign(x),
            0,
            360,
            (1.0,),
            -1,
        )
    soft = 16.0 * soften(hila, 4.5 * sheet.scale)
    haze = 2.2 * smooth_noise(rng, (sheet.rows, sheet.columns), (1.1 * sheet.scale, 1.1 * sheet.scale))
    return np.asarray(3.6 * vessels + soft + haze, dtype=np.float32)


def _branch(
    layers: list[Plane],
    sheet: Sheet,
    rng: np.random.Generator,
    ray: tuple[Points, Points],
    width_mm: float,
    order: int,
) -> None:
    if order > 4 or width_mm < 0.55:
        return
    start, heading = ray
    bend = rng.normal(0.0, 0.16)
    turned = np.array([heading[0] - bend * heading[1], heading[1] + bend * heading[0]])
    length_mm = float(rng.uniform(15, 27)) * (0.97**order)
    middle = start + heading * length_mm * 0.5
    end = middle + turned * length_mm * 0.5
    path = np.round(sheet.to_px(np.stack([start, middle, end])) * 16).astype(np.int32)
    layer = layers[int(rng.integers(2))]
    cv2.polylines(layer, [path], False, (width_mm,), max(1, round(width_mm * sheet.scale)), cv2.LINE_AA, 4)
    for fork in (rng.uniform(-0.62, -0.15), rng.uniform(0.15, 0.62)):
        away = np.array([turned[0] - fork * turned[1], turned[1] + fork * turned[0]])
        ray = (end, away / float(np.linalg.norm(away)))
        _branch(layers, sheet, rng, ray, width_mm * float(rng.uniform(0.6, 0.8)), order + 1)


def consolidation(rng: np.random.Generator, sheet: Sheet, build: Build, lungs: Plane) -> Opacity:
    """Air-space shadow in a middle or lower zone: soft, patchy, with no sharp border of its own."""
    shape = (sheet.rows, sheet.columns)
    side = -1.0 if rng.random() < 0.5 else 1.0
    centre = np.array([side * rng.uniform(64, 96), rng.uniform(0, 58)]) * np.array(
        [build.width, build.height]
    )
    x, y = sheet.millimetres()
    cloud = np.zeros(shape, np.float32)
    for _ in range(8):
        at = centre + rng.normal(0.0, (15.0, 15.0))
        size = rng.uniform(13, 25, 2)
        across = np.exp(-(((x - np.float32(at[0])) / np.float32(size[0])) ** 2))
        along = np.exp(-(((y - np.float32(at[1])) / np.float32(size[1])) ** 2))
        cloud += np.float32(rng.uniform(0.4, 0.7)) * across * along
    patchy = 1.0 + 0.30 * smooth_noise(rng, shape, (5 * sheet.scale, 5 * sheet.scale))
    patchy += 0.10 * smooth_noise(rng, shape, (1.4 * sheet.scale, 1.4 * sheet.scale))
    weight = 1.0 - np.exp(-1.25 * cloud * np.clip(patchy, 0.2, 2.0))
    weight = np.asarray(weight * np.clip(lungs / 60.0, 0.0, 1.0), dtype=np.float32) * float(
        rng.uniform(0.8, 1.0)
    )
    return Opacity(weight, _bounds(soften(weight, 2 * sheet.scale) > 0.22))


def _bounds(inside: NDArray[np.bool_]) -> tuple[float, float, float, float]:
    rows, columns = np.flatnonzero(inside.any(axis=1)), np.flatnonzero(inside.any(axis=0))
    return float(columns[0]), float(rows[0]), float(columns[-1] + 1), float(rows[-1] + 1)
