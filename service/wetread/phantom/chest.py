"""Chest phantoms: a frontal film, clear or with a patch of consolidation."""

from __future__ import annotations

import cv2
import numpy as np

from wetread.phantom import thorax
from wetread.phantom.bone import (
    Points,
    Sheet,
    chord,
    closed_curve,
    depth_inside,
    fill,
    local_radius,
    open_curve,
)
from wetread.phantom.film import (
    Phantom,
    Plane,
    add_grain,
    collimate,
    smooth_noise,
    soften,
    stamp_marker,
    store,
)
from wetread.phantom.lung import Opacity, consolidation, lung_air, vessel_tree
from wetread.phantom.thorax import Build

FIELD_MM = 385.0


def draw_chest(seed: int, *, opacity: bool, rows: int = 1024, columns: int = 1024) -> Phantom:
    """Draw a PA chest; the same seed is the same person, with or without the consolidation."""
    rng = np.random.default_rng([seed, 11])
    build = _build(rng)
    scale = rows / FIELD_MM
    drift = rng.uniform(-7.0, 7.0, 2)
    sheet = Sheet(
        rows, columns, scale, (columns / 2 + float(drift[0]) * scale, 0.51 * rows + float(drift[1]) * scale)
    )
    lungs = lung_air(sheet, build)
    patch = consolidation(np.random.default_rng([seed, 13]), sheet, build, lungs) if opacity else None
    grey = _expose(sheet, build, lungs, patch, rng)
    grey = add_grain(grey, rng, amount=float(rng.uniform(0.006, 0.012)))
    grey = collimate(grey, rng, margin=0.025, tilt_deg=0.6)
    _mark(grey, rng)
    boxes = () if patch is None else (patch.box,)
    return Phantom(store(grey), "CHEST", "PA", "", boxes, 1.0 / scale)


def _build(rng: np.random.Generator) -> Build:
    return Build(
        width=float(rng.uniform(0.92, 1.04)),
        height=float(rng.uniform(0.93, 1.07)),
        heart=float(rng.uniform(0.86, 1.08)),
        dome_mm=float(rng.uniform(14.0, 26.0)),
        rib_slope=float(rng.uniform(0.85, 1.15)),
        clavicle_mm=float(rng.uniform(-4.0, 10.0)),
        scapula_mm=float(rng.uniform(-2.0, 12.0)),
        is_female=bool(rng.random() < 0.5),
        thickness=float(rng.uniform(0.94, 1.1)),
    )


def _expose(
    sheet: Sheet, build: Build, lungs: Plane, patch: Opacity | None, rng: np.random.Generator
) -> Plane:
    """The processed film, grey 0..1, before grain.

    All parts are summed as millimetres of soft tissue, then put through a film's S-shaped curve.
    """
    shape = (sheet.rows, sheet.columns)
    heart = _soft_mask(sheet, thorax.mediastinum(build), 1.3)
    air = lungs * (1.0 - 0.90 * heart)
    open_lung = np.clip(air / 90.0, 0.0, 1.0)
    vessels = vessel_tree(sheet, build, rng) * open_lung
    if patch is not None:
        vessels = vessels * (1.0 - 0.75 * patch.weight)
        air = air * (1.0 - 0.78 * patch.weight)
    body = _body(sheet, build, rng) + _spine(sheet, build, rng) + 16.0 * heart
    body += (
        _rib_cage(sheet, build) + _shoulders(sheet, build) - _windpipe(sheet) - _stomach(sheet, build, rng)
    )
    if build.is_female:
        body += _breasts(sheet, build, rng)
    total = np.clip(build.thickness * body - air + vessels, 0.0, None)
    total *= 1.0 + 0.02 * smooth_noise(rng, shape, (90.0, 90.0))
    response = total**2.45
    return np.asarray(0.015 + 0.95 * response / (response + np.float32(107.0**2.45)), dtype=np.float32)


def _soft_mask(sheet: Sheet, outline: Points, blur_mm: float) -> Plane:
    mask = fill((sheet.rows, sheet.columns), sheet.to_px(closed_curve(outline))).astype(np.float32) / 255.0
    return soften(mask, blur_mm * sheet.scale)


def _body(sheet: Sheet, build: Build, rng: np.random.Generator) -> Plane:
    shape = (sheet.rows, sheet.columns)
    depth_mm = depth_inside(fill(shape, sheet.to_px(closed_curve(thorax.skin(build))))) / sheet.scale
    x_mm, y_mm = sheet.millimetres()
    trunk = (
        104.0 + 86.0 / (1.0 + np.exp(-(y_mm + 108.0) / 20.0)) + 26.0 / (1.0 + np.exp(-(y_mm - 70.0) / 18.0))
    )
    beside = 0.5 + 0.5 * np.tanh((np.abs(x_mm) - 138.0 * build.width) / 14.0)
    thickness_mm = trunk * (1.0 - 0.40 * beside * (1.0 - 0.6 / (1.0 + np.exp(-(y_mm - 80.0) / 20.0))))
    rounding = np.clip(depth_mm / 55.0, 0.0, 1.0)
    body = thickness_mm * np.sqrt(rounding * (2.0 - rounding))
    muscle = 1.0 + 0.018 * smooth_noise(rng, shape, (6 * sheet.scale, 16 * sheet.scale))
    return np.asarray(soften(np.asarray(body, dtype=np.float32), sheet.scale) * muscle, dtype=np.float32)


def _bands(sheet: Sheet, lines: list[Points], width_mm: float, *, rim: float) -> Plane:
    """Rod-shaped bones along centre lines, in mm of soft tissue: bright rims, paler middle."""
    mask = np.zeros((sheet.rows, sheet.columns), np.uint8)
    width = max(2, round(width_mm * sheet.scale))
    for line in lines:
        cv2.polylines(
            mask, [np.round(sheet.to_px(line) * 16).astype(np.int32)], False, (255,), width, cv2.LINE_8, 4
        )
    depth = depth_inside(mask)
    radius = np.full_like(depth, 0.5 * width)
    inside = chord(depth - 1.1 * sheet.scale, radius - 1.1 * sheet.scale)
    mineral = (chord(depth, radius) - rim * inside) / sheet.scale
    return soften(np.asarray(mineral, dtype=np.float32), 0.45 * sheet.scale)


def _rib_cage(sheet: Sheet, build: Build) -> Plane:
    ribs = [thorax.rib(number, build, side=side) for number in range(1, 11) for side in (-1.0, 1.0)]
    backs = _bands(sheet, [back for back, _ in ribs], 8.5, rim=0.62)
    fronts = _bands(sheet, [front for _, front in ribs[:16]], 10.5, rim=0.72)
    return np.asarray(2.6 * backs + 1.9 * fronts, dtype=np.float32)


def _shoulders(sheet: Sheet, build: Build) -> Plane:
    shape = (sheet.rows, sheet.columns)
    collar = [open_curve(thorax.clavicle(build, side=side)) for side in (-1.0, 1.0)]
    bones: Plane = np.float32(3.2) * _bands(sheet, collar, 10.5, rim=0.6)
    for outline_of, weight, shell_mm in ((thorax.scapula, 0.9, 1.4), (thorax.humerus, 2.4, 2.4)):
        mask = np.zeros(shape, np.uint8)
        for side in (-1.0, 1.0):
            mask |= fill(shape, sheet.to_px(closed_curve(outline_of(build, side=side))))
        depth = depth_inside(mask)
        radius = local_radius(depth)
        inside = chord(depth - shell_mm * sheet.scale, np.maximum(radius - shell_mm * sheet.scale, 1.0))
        mineral = np.asarray((chord(depth, radius) - 0.72 * inside) / sheet.scale, dtype=np.float32)
        bones += weight * soften(mineral, 0.5 * sheet.scale)
    return np.asarray(bones, dtype=np.float32)


def _spine(sheet: Sheet, build: Build, rng: np.random.Generator) -> Plane:
    x_mm = (np.arange(sheet.columns, dtype=np.float32)[None, :] - sheet.origin[0]) / sheet.scale
    y_mm = (np.arange(sheet.rows, dtype=np.float32)[:, None] - sheet.origin[1]) / sheet.scale
    phase = y_mm / (22.5 * build.height) + float(rng.uniform(0, 1))
    disc = np.exp(-(((phase - np.round(phase)) * 22.5 / 3.2) ** 2))
    half_width = 17.0 + 2.0 * disc
    edge = 0.5 - 0.5 * np.tanh((np.abs(x_mm) - half_width) / 2.4)
    processes = np.exp(-((x_mm / 3.0) ** 2)) * np.exp(
        -((((phase + 0.4) - np.round(phase + 0.4)) * 22.5 / 6.0) ** 2)
    )
    return np.asarray(edge * (26.0 - 9.0 * disc) + 8.0 * processes, dtype=np.float32)


def _windpipe(sheet: Sheet) -> Plane:
    plane = np.zeros((sheet.rows, sheet.columns), np.float32)
    for line, width_mm in zip(thorax.windpipe(), (16.0, 11.0, 10.0), strict=True):
        path = [np.round(sheet.to_px(open_curve(line)) * 16).astype(np.int32)]
        cv2.polylines(plane, path, False, (1.0,), max(2, round(width_mm * sheet.scale)), cv2.LINE_8, 4)
    return 26.0 * soften(plane, 1.8 * sheet.scale)


def _stomach(sheet: Sheet, build: Build, rng: np.random.Generator) -> Plane:
    """The gas bubble under the left dome."""
    plane = np.zeros((sheet.rows, sheet.columns), np.float32)
    centre = sheet.to_px(np.array([rng.uniform(62, 84) * build.width, 126.0 - build.dome_mm]))
    axes = (round(rng.uniform(16, 30) * sheet.scale), round(rng.uniform(8, 13) * sheet.scale))
    cv2.ellipse(plane, (round(float(centre[0])), round(float(centre[1]))), axes, -8, 0, 360, (1.0,), -1)
    return float(rng.uniform(25, 75)) * soften(plane, 2.2 * sheet.scale)


def _breasts(sheet: Sheet, build: Build, rng: np.random.Generator) -> Plane:
    plane = np.zeros((sheet.rows, sheet.columns), np.float32)
    sag = float(rng.uniform(52, 76))
    for side in (-1.0, 1.0):
        centre = sheet.to_px(np.array([side * 84 * build.width, sag]))
        axes = (round(58 * sheet.scale), round(48 * sheet.scale))
        cv2.ellipse(plane, (round(float(centre[0])), round(float(centre[1]))), axes, 0, 0, 360, (1.0,), -1)
    return float(rng.uniform(6, 14)) * soften(plane, 7 * sheet.scale)


def _mark(grey: Plane, rng: np.random.Generator) -> None:
    """The side marker, always true: L on the patient's left, which a PA film shows on the right."""
    rows, columns = grey.shape
    is_left = rng.random() < 0.6
    x = columns * (rng.uniform(0.90, 0.93) if is_left else rng.uniform(0.07, 0.10))
    centre = (float(x), float(rows * rng.uniform(0.06, 0.1)))
    stamp_marker(
        grey, "L" if is_left else "R", centre=centre, size_px=0.035 * rows, tilt_deg=float(rng.uniform(-9, 9))
    )
