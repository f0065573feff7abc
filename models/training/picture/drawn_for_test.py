"""Drawn pictures that test the guard: kinds that no training picture shows. See `drawn`."""

from __future__ import annotations

import cv2
import numpy as np

from training.picture.drawn import Artist, Plane, grid, spread


def black(rng: np.random.Generator, size: int) -> Plane:
    """A frame that was never exposed, with read-out noise."""
    return np.clip(rng.normal(0.0, rng.uniform(0, 0.01), (size, size)), 0, 1).astype(np.float32)


def white(rng: np.random.Generator, size: int) -> Plane:
    """A frame exposed without anything in it."""
    return 1.0 - black(rng, size)


def spiral(rng: np.random.Generator, size: int) -> Plane:
    """Arms that wind about a centre."""
    y, x = grid(size)
    winding = rng.integers(1, 6) * np.arctan2(y, x) + rng.uniform(5, 25) * np.hypot(y, x)
    return spread(np.sin(winding))


def moire(rng: np.random.Generator, size: int) -> Plane:
    """Two sets of rings that beat."""
    y, x = grid(size)
    plane = np.ones((size, size), np.float32)
    for _ in range(2):
        (cy, cx), count = rng.uniform(-1, 1, 2), rng.uniform(15, 60)
        plane *= np.sin(count * np.hypot(y - cy, x - cx))
    return spread(plane)


def code_matrix(rng: np.random.Generator, size: int) -> Plane:
    """Black and white cells at random, as in a printed code."""
    count = int(rng.integers(20, 45))
    cells = (rng.random((count, count)) < 0.5).astype(np.float32)
    return np.asarray(cv2.resize(cells, (size, size), interpolation=cv2.INTER_NEAREST), np.float32)


def traces(rng: np.random.Generator, size: int) -> Plane:
    """An electrocardiogram: rows of spikes on a light grid."""
    plane = np.full((size, size), 0.95, np.float32)
    plane[:: size // 25], plane[:, :: size // 25] = 0.8, 0.8
    x = np.arange(size)
    for row in range(4):
        beat = (x * rng.uniform(0.9, 1.1) + rng.uniform(0, 50)) % rng.uniform(30, 60)
        wave = -np.exp(-((beat - 10) ** 2) / 3) * size / 9 - np.exp(-((beat - 20) ** 2) / 12) * size / 30
        y = (row + 0.7) * size / 4.2 + wave
        points = np.stack([x, y], 1).astype(np.int32)
        cv2.polylines(plane, [points], False, 0.1, 1, cv2.LINE_AA)
    return plane


def scribbles(rng: np.random.Generator, size: int) -> Plane:
    """Curves as from a pen."""
    plane = np.full((size, size), rng.uniform(0.85, 1.0), np.float32)
    for _ in range(int(rng.integers(3, 12))):
        walk = np.cumsum(np.cumsum(rng.normal(0, 0.4, (120, 2)), 0) * 0.3, 0) + rng.uniform(0, size, 2)
        cv2.polylines(plane, [walk.astype(np.int32)], False, float(rng.uniform(0, 0.3)), 2, cv2.LINE_AA)
    return plane


def cells(rng: np.random.Generator, size: int) -> Plane:
    """Each pixel in the grey of the nearest of some points."""
    y, x = grid(size)
    points, greys = rng.uniform(-1, 1, (int(rng.integers(10, 60)), 2)), rng.uniform(0, 1, 60)
    distances = np.stack([(y - py) ** 2 + (x - px) ** 2 for py, px in points])
    return greys[distances.argmin(0)].astype(np.float32)


def bubbles(rng: np.random.Generator, size: int) -> Plane:
    """Shaded balls before a dark ground."""
    y, x = grid(size)
    plane = np.full((size, size), rng.uniform(0, 0.4), np.float32)
    for _ in range(int(rng.integers(4, 25))):
        (cy, cx), radius = rng.uniform(-1, 1, 2), rng.uniform(0.06, 0.4)
        height = 1 - ((y - cy) ** 2 + (x - cx) ** 2) / radius**2
        light = np.sqrt(np.clip(height, 0, 1)) * np.clip(1 - (x - cx + y - cy) / radius, 0.1, 2) / 2
        plane = np.where(height > 0, light, plane).astype(np.float32)
    return plane


def landscape(rng: np.random.Generator, size: int) -> Plane:
    """A sky, a sun, hills one behind the other, as on a photograph."""
    y, x = grid(size)
    plane = (0.9 - 0.25 * (y + 1) * rng.uniform(0.3, 1)).astype(np.float32)
    cv2.circle(plane, tuple(int(v) for v in rng.integers(0, size // 2, 2)), size // 15, 1.0, -1)
    for depth in range(4):
        ridge = -0.3 + 0.35 * depth + 0.12 * np.sin(x * rng.uniform(2, 6) + rng.uniform(0, 6))
        ridge += 0.05 * np.sin(x * rng.uniform(9, 25) + rng.uniform(0, 6))
        rough = cv2.GaussianBlur(rng.normal(0, 1, (size, size)).astype(np.float32), (0, 0), 1 + depth)
        plane = np.where(y > ridge, 0.65 - 0.15 * depth + 0.15 * rough, plane).astype(np.float32)
    return np.clip(plane, 0, 1)


def sector(rng: np.random.Generator, size: int) -> Plane:
    """An ultrasound fan with speckle."""
    y, x = grid(size)
    away, angle = np.hypot(y + 1.1, x), np.abs(np.arctan2(x, y + 1.1))
    speckle = cv2.GaussianBlur(rng.rayleigh(0.3, (size, size)).astype(np.float32), (0, 0), 1.2)
    for _ in range(int(rng.integers(1, 5))):
        cy, cx = rng.uniform(-0.5, 0.7), rng.uniform(-0.5, 0.5)
        speckle *= 1 - 0.8 * np.exp(-((y - cy) ** 2 + (x - cx) ** 2) / rng.uniform(0.01, 0.08))
    inside = (away > 0.25) & (away < 1.95) & (angle < rng.uniform(0.5, 0.8))
    return np.clip(np.where(inside, speckle * rng.uniform(1, 2), 0), 0, 1).astype(np.float32)


TEST: dict[str, Artist] = {
    artist.__name__: artist
    for artist in (
        black, white, spiral, moire, code_matrix, traces, scribbles, cells, bubbles, landscape, sector,
    )
}  # fmt: skip
