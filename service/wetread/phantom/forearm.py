"""The forearm, wrist and hand: outlines in millimetres, the wrist joint at (0, 0), fingers down.

A right arm of a patient who faces the viewer, palm up: frontal, the thumb to the left; lateral,
the palm and the thumb to the left.
"""

from __future__ import annotations

import numpy as np

from wetread.phantom.bone import Bone, Points, tube

# Each ray: metacarpal base (x, y) mm, direction from straight down in degrees, then the lengths of
# metacarpal and phalanges in mm; the thumb has no middle phalanx.
RAYS: tuple[tuple[float, float, float, tuple[float, ...]], ...] = (
    (-24.0, 22.0, -38.0, (43.0, 30.0, 22.0)),
    (-13.0, 26.0, -7.0, (62.0, 37.0, 22.0, 16.0)),
    (-1.0, 27.0, -0.5, (60.0, 40.0, 26.0, 17.0)),
    (9.0, 26.0, 5.0, (54.0, 37.0, 24.0, 17.0)),
    (18.0, 23.0, 12.0, (50.0, 30.0, 17.0, 15.0)),
)


def _shaft(points: list[tuple[float, float]], cortex_mm: float, ends_mm: float) -> Bone:
    outline = np.array(points, dtype=np.float64)
    return Bone(outline, cortex_mm, top=-330.0, bottom=float(outline[:, 1].max()), ends_mm=ends_mm)


def frontal_shafts() -> dict[str, Bone]:
    """Radius and ulna from the front."""
    radius = [
        (-10.0, -360.0),
        (-12, -250),
        (-15, -170),
        (-16, -110),
        (-15.5, -60),
        (-17.5, -30),
        (-21, -12),
        (-22, -2),
    ]
    radius += [(-21, 6), (-17, 5), (-9, 0.5), (0, -1.5), (7, -2.5), (8.5, -7), (6, -18), (0, -36), (-3, -65)]
    radius += [(-4, -110), (-3, -170), (0, -250), (4, -360)]
    ulna = [
        (10.0, -360.0),
        (12, -250),
        (14, -170),
        (13, -110),
        (11.5, -60),
        (10, -25),
        (9.5, -9),
        (11, -4),
        (16, -4),
    ]
    ulna += [
        (19.5, -2),
        (22, 3),
        (24, -2),
        (23, -12),
        (20.5, -28),
        (20, -60),
        (22, -110),
        (24, -170),
        (24, -250),
        (24, -360),
    ]
    return {"radius": _shaft(radius, 3.4, 50.0), "ulna": _shaft(ulna, 3.0, 40.0)}


def lateral_shafts() -> dict[str, Bone]:
    """Radius and ulna from the side: they lie over each other."""
    radius = [
        (-8.0, -360.0),
        (-9, -250),
        (-10, -170),
        (-9, -110),
        (-8, -60),
        (-9, -28),
        (-12, -8),
        (-12, -1),
        (-5, -3),
    ]
    radius += [(4, -2), (11, 3), (12, -4), (10, -22), (6, -45), (4, -80), (3, -130), (4, -200), (6, -360)]
    ulna = [
        (0.0, -360.0),
        (0, -250),
        (0, -170),
        (2, -110),
        (3, -60),
        (2, -25),
        (1, -8),
        (4, -3),
        (10, 2),
        (12, -4),
    ]
    ulna += [(13, -14), (12, -30), (12, -60), (12, -110), (12, -170), (14, -250), (15, -360)]
    return {"radius": _shaft(radius, 3.4, 50.0), "ulna": _shaft(ulna, 3.0, 40.0)}


def _pebble(x: float, y: float, width: float, height: float, turn_deg: float) -> Bone:
    corners = np.array(
        [(-0.5, -0.3), (-0.2, -0.5), (0.25, -0.48), (0.5, -0.2), (0.46, 0.3), (0.1, 0.5), (-0.4, 0.42)]
    )
    angle = np.deg2rad(turn_deg)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    return Bone(corners * 1.14 * np.array([width, height]) @ turn.T + np.array([x, y]), 0.9)


def frontal_carpals() -> list[Bone]:
    """Scaphoid, lunate, triquetrum, pisiform, trapezium, trapezoid, capitate, hamate."""
    return [
        _pebble(-14.5, 9.5, 12, 19, -35),
        _pebble(-1.5, 5.5, 13, 12, 5),
        _pebble(11.5, 9, 12, 14, 30),
        _pebble(15, 11.5, 8, 9, 0),
        _pebble(-20.5, 18, 13, 11, 30),
        _pebble(-12.5, 19.5, 9, 10, 10),
        _pebble(-2.5, 17, 13, 20, 4),
        _pebble(8.5, 18, 13, 16, -20),
    ]


def lateral_carpals() -> list[Bone]:
    """The carpal bones from the side, over each other."""
    return [
        _pebble(0, 5, 16, 12, 0),
        _pebble(1, 16, 17, 18, 0),
        _pebble(-4, 12, 13, 20, -25),
        _pebble(-8, 20, 12, 12, 0),
        _pebble(4, 18, 12, 15, 15),
        _pebble(-9, 11, 9, 8, 0),
    ]


def rays(spread: float, *, narrowing: float = 1.0) -> list[list[Bone]]:
    """Metacarpals and phalanges, ray by ray; `spread` multiplies the fan of the fingers."""
    fan: list[list[Bone]] = []
    for number, (x, y, direction_deg, lengths) in enumerate(RAYS):
        bones: list[Bone] = []
        at = np.array((x * narrowing, y))
        for order, length_mm in enumerate(lengths):
            bend = direction_deg * spread * (1.0 + 0.12 * order)
            width_mm = (12.5 if number else 13.0) * (1.0, 0.82, 0.7, 0.55)[order]
            bones.append(tube((float(at[0]), float(at[1])), length_mm, bend, width_mm))
            step = np.array([np.sin(np.deg2rad(bend)), np.cos(np.deg2rad(bend))])
            at = at + step * (length_mm + 1.6)
        fan.append(bones)
    return fan


def frontal_skin() -> Points:
    """Outline of forearm, wrist and palm from the front; the fingers are added bone by bone."""
    right = [
        (44.0, -360.0),
        (46, -250),
        (44, -170),
        (37, -90),
        (30, -30),
        (29, 0),
        (33, 30),
        (42, 70),
        (42, 88),
    ]
    left = [(-34, 92), (-38, 60), (-36, 30), (-29, 0), (-30, -30), (-36, -90), (-40, -170), (-42, -250)]
    return np.array([*right, (20, 102), (-10, 104), *left, (-40, -360)], dtype=np.float64)


def lateral_skin() -> Points:
    """Outline of forearm, wrist and palm from the side."""
    right = [(30.0, -360.0), (32, -250), (30, -170), (26, -90), (20, -30), (18, 0), (19, 30), (19, 70)]
    left = [(-20, 95), (-28, 60), (-27, 30), (-19, 5), (-19, -30), (-25, -90), (-30, -170), (-34, -250)]
    return np.array([*right, (15, 100), (-5, 104), *left, (-32, -360)], dtype=np.float64)
