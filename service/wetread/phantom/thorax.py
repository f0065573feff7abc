"""The chest from behind (PA): outlines in millimetres, x to the patient's left, (0, 0) below the carina.

The viewer faces the patient, so the patient's left lies to the right and the heart's apex with it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from wetread.phantom.bone import Points


@dataclass(frozen=True, slots=True)
class Build:
    """How one person's chest differs from another's; lengths in mm, the rest factors near 1."""

    width: float
    height: float
    heart: float
    dome_mm: float
    rib_slope: float
    clavicle_mm: float
    scapula_mm: float
    is_female: bool
    thickness: float


def _mirrored(points: list[tuple[float, float]]) -> list[tuple[float, float]]:
    return [(-x, y) for x, y in reversed(points)]


def skin(build: Build) -> Points:
    """Neck, shoulders, arms hanging out of the sheet and flanks."""
    side = [
        (46.0, -260.0),
        (46, -205),
        (52, -182),
        (84, -164),
        (130, -152),
        (172, -143),
        (206, -118),
        (230, -70),
        (246, 20),
    ]
    side += [(236, 66), (208, 44), (190, 22), (178, 30), (168, 66), (163, 110), (166, 170), (172, 260)]
    outline = np.array([*side, *_mirrored(side)])
    return np.asarray(
        outline * np.array([build.width * (0.93 + 0.07 * build.thickness), 1.0]), dtype=np.float64
    )


def lungs(build: Build) -> tuple[Points, Points]:
    """The right and the left lung as the film shows them; the right dome stands higher."""
    dome = build.dome_mm
    right = [
        (-28.0, -136.0),
        (-44, -151),
        (-66, -146),
        (-90, -122),
        (-110, -88),
        (-124, -44),
        (-133, 4),
        (-139, 54),
    ]
    right += [
        (-142, 96),
        (-140, 110),
        (-134, 106),
        (-118, 92 - 0.3 * dome),
        (-92, 84 - dome),
        (-62, 82 - dome),
    ]
    right += [(-36, 92 - 0.4 * dome), (-20, 98), (-12, 60), (-13, 0), (-13, -60), (-17, -104)]
    left = [(28.0, -136.0), (44, -151), (66, -146), (90, -122), (110, -88), (124, -44), (133, 4), (139, 56)]
    left += [(142, 104), (140, 119), (134, 115), (120, 100 - 0.3 * dome), (95, 94 - dome), (66, 93 - dome)]
    left += [(40, 101 - 0.4 * dome), (22, 106), (12, 60), (12, 0), (13, -60), (17, -104)]
    stretch = np.array([build.width, build.height])
    return np.array(right) * stretch, np.array(left) * stretch


def mediastinum(build: Build) -> Points:
    """Heart, great vessels and what surrounds them."""
    heart = build.heart
    points = [
        (-22.0, -190.0),
        (-21, -130),
        (-25, -90),
        (-26, -50),
        (-24, -24),
        (-30, 0),
        (-40 * heart, 26),
        (-43 * heart, 52),
    ]
    points += [
        (-36 * heart, 78),
        (-26, 104),
        (-10, 132),
        (30, 132),
        (72 * heart, 112),
        (88 * heart, 98),
        (89 * heart, 86),
    ]
    points += [
        (76 * heart, 60),
        (58 * heart, 32),
        (44, 8),
        (36, -8),
        (33, -22),
        (32, -34),
        (37, -48),
        (38, -60),
    ]
    points += [(31, -71), (25, -84), (24, -110), (23, -130), (24, -190)]
    return np.asarray(np.array(points) * np.array([build.width, build.height]), dtype=np.float64)


def windpipe() -> list[Points]:
    """Trachea and main bronchi as centre lines."""
    return [
        np.array([(1.0, -230.0), (0, -160), (-1, -110), (-2, -62), (-2, -52)]),
        np.array([(-2.0, -56.0), (-14, -38), (-27, -24), (-36, -14)]),
        np.array([(-2.0, -56.0), (12, -41), (27, -30), (40, -24)]),
    ]


def wall_x(y_mm: float, build: Build) -> float:
    """Half the width of the rib cage at a height, in mm, for ribs that hug the lung."""
    heights = [-175.0, -150, -122, -88, -44, 4, 54, 100, 150]
    widths = [38.0, 58, 92, 113, 128, 137, 143, 146, 146]
    return float(np.interp(y_mm / build.height, heights, widths)) * build.width


def rib(number: int, build: Build, *, side: float) -> tuple[Points, Points]:
    """Centre lines of a rib (1 to 10): its back part, and its front part down to the cartilage.

    `side` is -1 for the patient's right, +1 for the left.
    """
    root = (-158.0 + 23.0 * (number - 1) - (3.0 if number < 3 else 0.0)) * build.height
    drop = build.rib_slope * (8.0 + 6.5 * min(number, 7))
    t = np.linspace(0.0, 1.0, 40)
    wall = wall_x(root + drop, build)
    back_x = 19.0 + (wall - 19.0) * np.sin(t * np.pi / 2) ** 0.92
    back_y = root - 7.0 * np.sin(np.pi * np.clip(t * 2.2, 0, 1)) + drop * (1 - np.cos(t * np.pi / 2)) ** 1.15
    fall = build.rib_slope * (26.0 + 9.5 * min(number, 7))
    reach = wall * (0.62 - 0.012 * number)
    front_x = wall - reach * (1 - np.cos(t * np.pi / 2)) ** 0.85
    front_y = root + drop + fall * np.sin(t * np.pi / 2) ** 1.1
    return (
        np.stack([side * back_x, back_y], axis=1),
        np.stack([side * front_x, front_y], axis=1),
    )


def clavicle(build: Build, *, side: float) -> Points:
    """Centre line of a collar bone, from the breastbone to the shoulder."""
    lift = build.clavicle_mm
    line = [
        (17.0, -104.0),
        (36, -109),
        (62, -120 - 0.3 * lift),
        (92, -133 - 0.7 * lift),
        (122, -137 - lift),
        (156, -133 - lift),
    ]
    return np.array([(side * x * build.width, y) for x, y in line])


def scapula(build: Build, *, side: float) -> Points:
    """Outline of a shoulder blade, drawn aside as a good PA film has it."""
    out = build.scapula_mm
    points = [
        (150.0, -134.0),
        (164, -126),
        (166, -106),
        (156, -92),
        (152, -50),
        (140 + out, 0),
        (131 + out, 18),
        (124 + out, 8),
    ]
    points += [(118 + out, -40), (112 + out, -90), (118 + out, -118), (134, -124)]
    return np.array([(side * x * build.width, y) for x, y in points])


def humerus(build: Build, *, side: float) -> Points:
    """Outline of the upper arm's bone."""
    points = [
        (172.0, -134.0),
        (188, -136),
        (199, -124),
        (200, -106),
        (198, -80),
        (206, -20),
        (214, 60),
        (198, 60),
        (188, -20),
    ]
    points += [(179, -78), (170, -98), (165, -116)]
    return np.array([(side * x * build.width, y) for x, y in points])
