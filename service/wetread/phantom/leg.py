"""The lower leg and ankle: outlines in millimetres, the ankle joint at (0, 0), y down to the heel.

A right leg as it hangs on the light box: frontal, the fibula to the left; lateral, toes to the left.
"""

from __future__ import annotations

import numpy as np

from wetread.phantom.bone import Bone, Points, tube

Outline = list[tuple[float, float]]


def _bone(points: Outline, cortex_mm: float, *, long: bool = False, ends_mm: float = 70.0) -> Bone:
    outline = np.array(points, dtype=np.float64)
    if not long:
        return Bone(outline, cortex_mm)
    return Bone(outline, cortex_mm, top=-380.0, bottom=float(outline[:, 1].max()), ends_mm=ends_mm)


def frontal_shafts() -> dict[str, Bone]:
    """Tibia and fibula from the front."""
    tibia: Outline = [
        (-13, -400),
        (-12.5, -300),
        (-11.5, -200),
        (-11.5, -120),
        (-13, -70),
        (-17, -32),
        (-20, -12),
    ]
    tibia += [(-20, -3), (-16, -0.5), (-6, -1.2), (5, -0.8), (13, -0.2), (16.5, 3), (18, 9), (21, 14.5)]
    tibia += [
        (25, 13),
        (27, 5),
        (26, -8),
        (21, -30),
        (15.5, -65),
        (13.5, -120),
        (13.5, -200),
        (15, -300),
        (16, -400),
    ]
    fibula: Outline = [
        (-36, -400),
        (-36, -300),
        (-35, -200),
        (-34, -110),
        (-34, -60),
        (-36, -28),
        (-37, -5),
        (-36, 10),
    ]
    fibula += [(-32, 23), (-27, 25), (-23, 16), (-20.5, 3), (-19.5, -10), (-22, -32), (-24, -65), (-24, -110)]
    fibula += [(-24, -200), (-25, -300), (-25, -400)]
    return {
        "tibia": _bone(tibia, 5.2, long=True),
        "fibula": _bone(fibula, 3.0, long=True, ends_mm=45.0),
    }


def frontal_tarsals() -> list[Bone]:
    """Talus, heel, midfoot and the foreshortened forefoot from the front, lying over each other."""
    talus: Outline = [
        (-17, 4),
        (-8, 2.8),
        (4, 3),
        (13, 4),
        (15.5, 12),
        (17, 24),
        (12, 34),
        (0, 37),
        (-10, 34),
        (-18, 24),
        (-19, 12),
    ]
    heel: Outline = [
        (-22, 22),
        (-8, 18),
        (8, 20),
        (14, 32),
        (13, 48),
        (4, 57),
        (-10, 57),
        (-20, 48),
        (-25, 34),
    ]
    navicular: Outline = [(-2, 32), (10, 30), (22, 33), (25, 40), (18, 46), (4, 46), (-3, 40)]
    cuboid: Outline = [(-30, 36), (-18, 33), (-6, 37), (-5, 48), (-14, 55), (-28, 52), (-32, 44)]
    cuneiforms: Outline = [(-5, 46), (8, 45), (22, 45), (25, 54), (16, 59), (0, 59), (-6, 54)]
    rays: tuple[tuple[float, float, float, float], ...] = (
        (20.0, 57.0, 3.0, 14.0),
        (10, 57, -1, 9),
        (1, 57, -6, 9),
        (-10, 55, -11, 9),
        (-20, 52, -17, 9.5),
    )
    forefoot = [tube((x, y), 31.0, turn, width) for x, y, turn, width in rays]
    return [
        _bone(talus, 1.1),
        _bone(heel, 1.1),
        *(_bone(part, 0.8) for part in (navicular, cuboid, cuneiforms)),
        *forefoot,
    ]


def lateral_shafts() -> dict[str, Bone]:
    """Tibia and fibula from the side."""
    tibia: Outline = [
        (-12, -400),
        (-14, -300),
        (-14, -200),
        (-13, -120),
        (-13, -60),
        (-17, -25),
        (-20, -6),
        (-17, 1),
    ]
    tibia += [
        (-9, -1.5),
        (2, -3.5),
        (11, -1.5),
        (17, 4),
        (20, 1),
        (20, -10),
        (16, -32),
        (13, -65),
        (12, -120),
    ]
    tibia += [(13, -200), (15, -300), (18, -400)]
    fibula: Outline = [
        (18, -400),
        (16, -300),
        (12, -200),
        (8, -110),
        (4, -60),
        (0, -25),
        (-2, -4),
        (-1, 10),
        (4, 22),
        (10, 23),
    ]
    fibula += [(14, 12), (16, -2), (15, -20), (15, -60), (18, -110), (22, -200), (27, -300), (29, -400)]
    return {
        "tibia": _bone(tibia, 5.2, long=True),
        "fibula": _bone(fibula, 2.8, long=True, ends_mm=45.0),
    }


def lateral_tarsals() -> list[Bone]:
    """Talus, heel, midfoot and metatarsals from the side."""
    heel: Outline = [
        (-28, 40),
        (-14, 34),
        (0, 31),
        (14, 28),
        (28, 27),
        (46, 32),
        (56, 44),
        (56, 60),
        (46, 69),
        (30, 64),
    ]
    heel += [(10, 56), (-12, 54), (-28, 52)]
    talus: Outline = [
        (-20, 6),
        (-8, 2.0),
        (4, 1),
        (14, 4.5),
        (22, 14),
        (24, 22),
        (12, 26),
        (-4, 30),
        (-20, 29),
        (-36, 27),
    ]
    talus += [(-42, 19), (-40, 10), (-30, 10)]
    metatarsals: list[Outline] = [
        [
            (-76.0, 26.0 + k),
            (-90, 30 + k),
            (-118, 45 + k),
            (-138, 54 + k),
            (-140, 64 + k),
            (-130, 65 + k),
            (-112, 56 + k),
            (-88, 42 + k),
            (-76, 40 + k),
        ]
        for k in (0.0, 5.0, 11.0)
    ]
    return [
        _bone(heel, 1.2),
        _bone(talus, 1.1),
        _bone([(-44, 8), (-54, 12), (-56, 26), (-50, 34), (-44, 30), (-42, 18)], 1.0),
        _bone([(-56, 12), (-74, 22), (-76, 36), (-66, 42), (-57, 34)], 1.0),
        _bone([(-30, 38), (-46, 36), (-66, 42), (-68, 52), (-50, 58), (-31, 54)], 1.0),
        *(_bone(points, 1.6) for points in metatarsals),
    ]


def frontal_skin() -> Points:
    """Outline of the soft tissue from the front."""
    right: Outline = [
        (52, -400),
        (56, -300),
        (54, -240),
        (46, -170),
        (37, -100),
        (33, -50),
        (35, -10),
        (38, 12),
        (36, 40),
    ]
    left: Outline = [
        (-38, 98),
        (-42, 70),
        (-44, 40),
        (-46, 12),
        (-45, -10),
        (-44, -50),
        (-50, -100),
        (-60, -170),
        (-68, -240),
    ]
    return np.array(
        [(-68, -300), (-64, -400), *right, (38, 70), (36, 100), (8, 112), (-20, 109), *left], dtype=np.float64
    )


def lateral_skin() -> Points:
    """Outline of the soft tissue from the side."""
    front: Outline = [
        (-30, -400),
        (-30, -300),
        (-28, -200),
        (-25, -100),
        (-27, -50),
        (-33, -15),
        (-46, 0),
        (-70, 12),
    ]
    sole: Outline = [
        (-110, 30),
        (-150, 52),
        (-172, 66),
        (-172, 82),
        (-140, 86),
        (-90, 80),
        (-40, 74),
        (20, 78),
        (52, 82),
    ]
    back: Outline = [
        (68, 68),
        (68, 42),
        (50, 16),
        (38, -20),
        (36, -70),
        (48, -140),
        (66, -220),
        (74, -300),
        (68, -400),
    ]
    return np.array([*front, *sole, *back], dtype=np.float64)
