"""Limb phantoms: a lower leg with its ankle or a forearm with its hand, whole or broken."""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from wetread.phantom import forearm, leg
from wetread.phantom.bone import (
    Bone,
    Break,
    Points,
    Sheet,
    attenuation,
    bone_window,
    chord,
    closed_curve,
    depth_inside,
    fill,
    local_radius,
    snap,
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


@dataclass(frozen=True, slots=True)
class Anatomy:
    """One view of a limb in millimetres; `digits` are soft tissue fingers around their bones."""

    body_part: str
    shafts: dict[str, Bone]
    short_bones: list[Bone]
    skin: Points
    digits: list[list[Bone]]
    centre_mm: tuple[float, float]
    field_mm: float


@dataclass(frozen=True, slots=True)
class Patient:
    """What a seed fixes about a person and their exposure, the same in every view."""

    body_part: str
    laterality: str
    stature: float
    girth: float
    bow_mm: float
    tilt_deg: float
    bone_contrast: float
    fractures: dict[str, Break]


def draw_limb(seed: int, *, broken: bool, view: str = "AP", rows: int = 1024, columns: int = 832) -> Phantom:
    """Draw a limb; the same seed is the same person, whole or broken, from the front or the side.

    `view` is 'AP' or 'LATERAL' (stored as LL or RL by the side). The box holds the break.
    """
    if view not in ("AP", "LATERAL"):
        raise ValueError(f"no such limb view: {view}")
    lateral = view == "LATERAL"
    patient = _patient(seed)
    rng = np.random.default_rng([seed, 7, int(lateral)])
    anatomy = _anatomy(patient, lateral=lateral, spread=float(rng.uniform(0.85, 1.2)))
    anatomy = replace(anatomy, shafts={name: _bowed(bone, patient) for name, bone in anatomy.shafts.items()})
    sheet = _sheet(anatomy, patient, rng, rows, columns)
    fractures = patient.fractures if broken else {}
    grey = _expose(anatomy, sheet, patient, fractures, rng)
    turn = _placing(patient, sheet, rng, mirrored=patient.laterality == "L")
    turned = cv2.warpAffine(
        grey, turn, (columns, rows), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )
    boxes = tuple(_box(fracture, anatomy.shafts[name], sheet, turn) for name, fracture in fractures.items())
    grey = add_grain(np.asarray(turned, dtype=np.float32), rng, amount=float(rng.uniform(0.006, 0.014)))
    grey = collimate(grey, rng, margin=0.055)
    _mark(grey, patient.laterality, rng)
    shown_view = ("LL" if patient.laterality == "L" else "RL") if lateral else "AP"
    return Phantom(store(grey), patient.body_part, shown_view, patient.laterality, boxes, 1.0 / sheet.scale)


def _patient(seed: int) -> Patient:
    rng = np.random.default_rng([seed, 3])
    body_part = "LEG" if rng.random() < 0.5 else "FOREARM"
    first, second = ("tibia", "fibula") if body_part == "LEG" else ("radius", "ulna")
    both = rng.random() < 0.4
    single = {first: _fracture(rng, first)}
    return Patient(
        body_part=body_part,
        laterality="L" if rng.random() < 0.5 else "R",
        stature=float(rng.uniform(0.93, 1.08)),
        girth=float(rng.uniform(0.9, 1.15)),
        bow_mm=float(rng.uniform(-4.0, 4.0)),
        tilt_deg=float(rng.uniform(-6.0, 6.0)),
        bone_contrast=float(rng.uniform(0.9, 1.15)),
        fractures=single | ({second: _fracture(rng, second)} if both else {}),
    )


def _fracture(rng: np.random.Generator, name: str) -> Break:
    """A break where such bones break: x is set per view, from the outline."""
    sites = {
        "tibia": (-110.0, -45.0),
        "fibula": (-95.0, -35.0),
        "radius": (-95.0, -18.0),
        "ulna": (-95.0, -35.0),
    }
    wide = 1.0 if name == "tibia" else 0.75
    slope = rng.uniform(0.35, 0.95) if rng.random() < 0.6 else rng.uniform(0.0, 0.25)
    return Break(
        x=0.0,
        y=float(rng.uniform(*sites[name])),
        slope=float(slope * rng.choice([-1.0, 1.0])),
        gap_mm=float(rng.uniform(1.2, 2.4) * (0.5 + 0.5 * wide)),
        step_mm=float(rng.uniform(3.5, 7.5) * wide * rng.choice([-1.0, 1.0])),
        reach_mm=float(rng.uniform(26.0, 36.0)),
        jag_seed=int(rng.integers(1 << 31)),
    )


def _anatomy(patient: Patient, *, lateral: bool, spread: float) -> Anatomy:
    if patient.body_part == "LEG":
        if lateral:
            bones = leg.lateral_tarsals()
            return Anatomy("LEG", leg.lateral_shafts(), bones, leg.lateral_skin(), [], (-22.0, -72.0), 330.0)
        bones = leg.frontal_tarsals()
        return Anatomy("LEG", leg.frontal_shafts(), bones, leg.frontal_skin(), [], (-6.0, -80.0), 360.0)
    if lateral:
        digits = forearm.rays(0.25 * spread, narrowing=0.25)
        carpals = forearm.lateral_carpals()
        return Anatomy(
            "FOREARM", forearm.lateral_shafts(), carpals, forearm.lateral_skin(), digits, (2.0, 13.0), 330.0
        )
    digits = forearm.rays(spread)
    carpals = forearm.frontal_carpals()
    return Anatomy(
        "FOREARM", forearm.frontal_shafts(), carpals, forearm.frontal_skin(), digits, (-4.0, 13.0), 330.0
    )


def _bowed(bone: Bone, patient: Patient) -> Bone:
    """A shaft as bent and as stout as this patient's; the joint end stays where it is."""
    away = np.clip(-bone.outline[:, 1] - 25.0, 0.0, 300.0) / 300.0
    bent = bone.outline + np.stack([patient.bow_mm * np.sin(np.pi * away), np.zeros_like(away)], axis=1)
    return replace(bone, outline=bent)


def _sheet(anatomy: Anatomy, patient: Patient, rng: np.random.Generator, rows: int, columns: int) -> Sheet:
    scale = rows / anatomy.field_mm * patient.stature
    drift = rng.uniform(-8.0, 8.0, 2)
    origin_x = columns / 2 - (anatomy.centre_mm[0] + drift[0]) * scale
    origin_y = rows / 2 - (anatomy.centre_mm[1] + drift[1]) * scale
    return Sheet(rows, columns, scale, (float(origin_x), float(origin_y)))


def _expose(
    anatomy: Anatomy, sheet: Sheet, patient: Patient, fractures: dict[str, Break], rng: np.random.Generator
) -> Plane:
    """The processed film, grey 0..1, before grain: soft tissue and bone through a film's curve."""
    shape = (sheet.rows, sheet.columns)
    grain = (0.45 * sheet.scale, 1.3 * sheet.scale)
    texture = smooth_noise(rng, shape, grain)
    soft = _soft_tissue(anatomy, sheet, patient, rng)
    mineral = np.zeros(shape, np.float32)
    for bone in [*anatomy.short_bones, *(bone for digit in anatomy.digits for bone in digit)]:
        _lay(mineral, bone, sheet, texture, None)
    for name, bone in anatomy.shafts.items():
        _lay(mineral, bone, sheet, texture, fractures.get(name))
    # A thin part is shown with a narrower window, as every processing station does.
    gain = 1.3 if anatomy.body_part == "FOREARM" else 1.0
    beam = 0.0050 * soft + 0.05 * (1.0 - np.exp(-soft / 9.0)) + 0.034 * patient.bone_contrast * mineral
    beam = gain * beam * (1.0 + 0.03 * smooth_noise(rng, shape, (180.0, 180.0)))
    return np.asarray(0.055 + 0.93 * (1.0 - np.exp(-1.05 * beam)), dtype=np.float32)


def _lay(mineral: Plane, bone: Bone, sheet: Sheet, texture: Plane, fracture: Break | None) -> None:
    window = bone_window(bone, sheet)
    left, top, right, bottom = window
    if right - left < 3 or bottom - top < 3:
        return
    shadow = attenuation(bone, sheet, window, texture)
    if fracture is not None:
        shadow = snap(shadow, _placed(fracture, bone), sheet, window)
    mineral[top:bottom, left:right] += shadow


def _across(bone: Bone, y_mm: float) -> tuple[float, float]:
    """Where a bone's outline lies at a height: its leftmost and rightmost x in mm."""
    curve = closed_curve(bone.outline)
    near = curve[np.abs(curve[:, 1] - y_mm) < 12.0, 0]
    return float(near.min()), float(near.max())


def _placed(fracture: Break, bone: Bone) -> Break:
    left, right = _across(bone, fracture.y)
    return replace(fracture, x=(left + right) / 2)


def _soft_tissue(anatomy: Anatomy, sheet: Sheet, patient: Patient, rng: np.random.Generator) -> Plane:
    """Soft tissue in the beam's way, in millimetres: skin and fat, then muscle, with faint planes."""
    middle = np.median(anatomy.skin[:, 0])
    widened = (anatomy.skin - np.array([middle, 0.0])) * np.array([patient.girth, 1.0]) + np.array(
        [middle, 0.0]
    )
    mask = fill((sheet.rows, sheet.columns), sheet.to_px(closed_curve(widened)))
    for digit in anatomy.digits:
        _sleeve(mask, digit, sheet)
    depth = depth_inside(mask)
    radius = local_radius(depth)
    fat_px = 3.2 * patient.girth * sheet.scale
    muscle = chord(depth - fat_px, np.maximum(radius - fat_px, 1.0)) / sheet.scale
    planes = 1.0 + 0.05 * smooth_noise(rng, (sheet.rows, sheet.columns), (4 * sheet.scale, 30 * sheet.scale))
    tissue = 0.55 * chord(depth, radius) / sheet.scale + 0.45 * muscle * planes
    return soften(np.asarray(tissue, dtype=np.float32), 0.8 * sheet.scale)


def _sleeve(mask: NDArray[np.uint8], digit: list[Bone], sheet: Sheet) -> None:
    joints = [bone.outline[[0, -1]].mean(axis=0) for bone in digit]
    tip = digit[-1].outline[len(digit[-1].outline) // 2]
    path = sheet.to_px(np.array([*joints, tip]))
    width = round(17.5 * sheet.scale)
    cv2.polylines(mask, [np.round(path * 16).astype(np.int32)], False, (255,), width, cv2.LINE_8, 4)


def _placing(
    patient: Patient, sheet: Sheet, rng: np.random.Generator, *, mirrored: bool
) -> NDArray[np.float64]:
    """How the limb lies on the detector: a small turn, and the mirror image for a left limb."""
    centre = (sheet.columns / 2, sheet.rows / 2)
    turn = cv2.getRotationMatrix2D(centre, patient.tilt_deg + float(rng.uniform(-2, 2)), 1.0)
    flip = np.array([[-1.0, 0.0, sheet.columns - 1.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]])
    whole = np.asarray(turn, dtype=np.float64)
    return whole @ flip if mirrored else whole


def _box(
    fracture: Break,
    bone: Bone,
    sheet: Sheet,
    turn: NDArray[np.float64],
) -> tuple[float, float, float, float]:
    placed = _placed(fracture, bone)
    left, right = _across(bone, placed.y)
    half_width = (right - left) / 2 + abs(placed.step_mm) / 2 + 4.0
    half_height = min(abs(placed.slope) * half_width, 14.0) + 9.0
    across, along = half_width, half_height
    corners = np.array([(-across, -along), (across, -along), (across, along), (-across, along)])
    points = sheet.to_px(corners + np.array([placed.x, placed.y])) @ turn[:, :2].T + turn[:, 2]
    low = np.clip(points.min(axis=0), 0, (sheet.columns, sheet.rows))
    high = np.clip(points.max(axis=0), 0, (sheet.columns, sheet.rows))
    return float(low[0]), float(low[1]), float(high[0]), float(high[1])


def _mark(grey: Plane, laterality: str, rng: np.random.Generator) -> None:
    rows, columns = grey.shape
    x = columns * (rng.uniform(0.1, 0.16) if rng.random() < 0.5 else rng.uniform(0.84, 0.9))
    y = rows * rng.uniform(0.1, 0.2)
    tilt_deg = float(rng.uniform(-12, 12))
    stamp_marker(grey, laterality, centre=(float(x), float(y)), size_px=0.03 * rows, tilt_deg=tilt_deg)
