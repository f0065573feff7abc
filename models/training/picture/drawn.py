"""Drawn pictures that are no radiographs: those the guard learns from. Others test it (`drawn_for_test`).

Every function draws (size, size) float32, 0..1, from a random generator alone.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

Plane: TypeAlias = NDArray[np.float32]
Artist: TypeAlias = Callable[[np.random.Generator, int], Plane]

_LETTERS = list("ABCDEFGHIKLMNOPRSTUVWZabcdefghiklmnoprstuvwz0123456789.,-/ ")


def grid(size: int) -> tuple[Plane, Plane]:
    """Coordinates y and x of every pixel, -1..1."""
    line = np.linspace(-1.0, 1.0, size, dtype=np.float32)
    y, x = np.meshgrid(line, line, indexing="ij")
    return y, x


def spread(plane: NDArray[np.floating]) -> Plane:
    """Stretched to 0..1."""
    low, high = float(plane.min()), float(plane.max())
    return ((plane - low) / max(high - low, 1e-6)).astype(np.float32)


def write(plane: Plane, text: str, at: tuple[int, int], *, height: int, grey: float) -> None:
    """Put letters of `height` pixels on a plane, in place."""
    # OpenCV 5 letters on 8 bits alone.
    mask = np.zeros(plane.shape, np.uint8)
    cv2.putText(mask, text, at, cv2.FONT_HERSHEY_SIMPLEX, height / 22, 255, max(1, height // 14), cv2.LINE_AA)
    plane += (mask / np.float32(255)) * (np.float32(grey) - plane)


def noise(rng: np.random.Generator, size: int) -> Plane:
    """Grain, finer or coarser."""
    plane = rng.normal(0.0, 1.0, (size, size)).astype(np.float32)
    if rng.random() < 0.6:
        plane = cv2.GaussianBlur(plane, (0, 0), float(np.exp(rng.uniform(-0.5, 2.5))))
    return spread(plane)


def clouds(rng: np.random.Generator, size: int) -> Plane:
    """Noise of several scales, one on top of the other."""
    plane, steepness = np.zeros((size, size), np.float32), rng.uniform(0.4, 0.8)
    for octave in range(6):
        small = rng.normal(0.0, 1.0, (2 + 2**octave, 2 + 2**octave)).astype(np.float32)
        plane += steepness**octave * cv2.resize(small, (size, size), interpolation=cv2.INTER_CUBIC)
    return spread(plane)


def ramp(rng: np.random.Generator, size: int) -> Plane:
    """A straight or round run of greys."""
    y, x = grid(size)
    angle, (cy, cx) = rng.uniform(0, 2 * np.pi), rng.uniform(-0.6, 0.6, 2)
    straight = np.cos(angle) * y + np.sin(angle) * x
    return spread(straight if rng.random() < 0.5 else np.hypot(y - cy, x - cx) * rng.choice([-1.0, 1.0]))


def stripes(rng: np.random.Generator, size: int) -> Plane:
    """Parallel waves or bars."""
    y, x = grid(size)
    angle, count = rng.uniform(0, 2 * np.pi), np.exp(rng.uniform(0.5, 3.5))
    wave = np.sin(count * np.pi * (np.cos(angle) * y + np.sin(angle) * x) + rng.uniform(0, 6))
    return spread(np.sign(wave) if rng.random() < 0.4 else wave)


def checkers(rng: np.random.Generator, size: int) -> Plane:
    """A board of two greys or of many."""
    count = int(rng.integers(2, 16))
    many = rng.uniform(0, 1, (count, count))
    two = np.indices((count, count)).sum(0) % 2 * rng.uniform(0.3, 1.0)
    board = (many if rng.random() < 0.5 else two).astype(np.float32)
    return np.asarray(cv2.resize(board, (size, size), interpolation=cv2.INTER_NEAREST), np.float32)


def blobs(rng: np.random.Generator, size: int) -> Plane:
    """Soft ellipses on a plain ground."""
    plane = np.full((size, size), rng.uniform(0, 0.5), np.float32)
    for _ in range(int(rng.integers(1, 25))):
        centre = tuple(int(v) for v in rng.integers(0, size, 2))
        axes = tuple(int(v) for v in rng.integers(size // 40 + 1, size // 3, 2))
        cv2.ellipse(plane, centre, axes, float(rng.uniform(0, 180)), 0, 360, float(rng.uniform(0, 1)), -1)
    return np.asarray(cv2.GaussianBlur(plane, (0, 0), float(np.exp(rng.uniform(-1, 2.3)))), np.float32)


def shapes(rng: np.random.Generator, size: int) -> Plane:
    """Hard rectangles, circles, triangles and lines."""
    plane = np.full((size, size), rng.uniform(0, 1), np.float32)
    for _ in range(int(rng.integers(1, 20))):
        grey, width = float(rng.uniform(0, 1)), int(rng.choice([-1, 1, 2, 5]))
        one, two, three = (tuple(int(v) for v in rng.integers(0, size, 2)) for _ in range(3))
        figure = rng.integers(4)
        if figure == 0:
            cv2.rectangle(plane, one, two, grey, width)
        elif figure == 1:
            cv2.circle(plane, one, int(rng.integers(2, size // 3)), grey, width)
        elif figure == 2:
            cv2.line(plane, one, two, grey, abs(width))
        else:
            cv2.fillPoly(plane, [np.array([one, two, three])], grey)
    return plane


def page(rng: np.random.Generator, size: int) -> Plane:
    """Lines of letters, black on white or the other way round."""
    plane = np.full((size, size), rng.uniform(0.8, 1.0), np.float32)
    height = int(rng.integers(7, 30))
    for bottom in range(height, size, int(height * 1.5)):
        text = "".join(rng.choice(_LETTERS, int(rng.integers(3, 50))))
        left = int(rng.integers(0, size // 6))
        write(plane, text, (left, bottom), height=height, grey=float(rng.uniform(0, 0.3)))
    return 1.0 - plane if rng.random() < 0.4 else plane


def frame(rng: np.random.Generator, size: int) -> Plane:
    """Nearly nothing: one grey with a little grain, perhaps a letter or an edge."""
    plane = np.full((size, size), rng.choice([0.0, 1.0, rng.uniform(0, 1)]), np.float32)
    plane += rng.normal(0, rng.uniform(0.0, 0.08), (size, size)).astype(np.float32)
    if rng.random() < 0.5:
        left, bottom = (int(v) for v in rng.integers(size // 8, size, 2))
        letter = str(rng.choice(list("RL")))
        write(plane, letter, (left, bottom), height=size // 8, grey=float(rng.uniform(0, 1)))
    if rng.random() < 0.4:
        edge = int(rng.integers(0, size))
        plane[:edge] = rng.uniform(0, 1)
    return np.clip(plane, 0, 1)


def breast(rng: np.random.Generator, size: int) -> Plane:
    """A mammogram in outline: half an ellipse at one edge, mottled, on black."""
    y, x = grid(size)
    centre, height, depth = rng.uniform(-0.25, 0.25), rng.uniform(0.45, 1.0), rng.uniform(0.5, 1.5)
    away = np.hypot((y - centre) / height, (x + 1) / depth)
    edge = np.clip((1 - away) * rng.uniform(5, 20) + 0.5, 0, 1)
    tissue = 0.25 + 0.5 * clouds(rng, size) ** rng.uniform(0.8, 3.0) * np.clip(1.3 - away, 0, 1)
    for _ in range(int(rng.integers(0, 12))):
        at = (int(rng.uniform(0, size * depth / 2)), int(rng.uniform(0.2, 0.8) * size))
        cv2.circle(tissue, at, int(rng.integers(1, 4)), float(rng.uniform(0.7, 1.0)), -1)
    plane = np.clip(edge * tissue * rng.uniform(0.8, 1.6), 0, 1).astype(np.float32)
    return np.ascontiguousarray(np.rot90(plane[:, :: int(rng.choice([-1, 1]))], int(rng.choice([0, 0, 1]))))


def spine(rng: np.random.Generator, size: int) -> Plane:
    """A column of blocks in soft shadow, as on a film of the spine."""
    plane = 0.35 * clouds(rng, size) + rng.uniform(0.1, 0.3)
    height, width = size // int(rng.integers(5, 9)), size / rng.uniform(4.5, 8)
    phase, swing = rng.uniform(0, 6), rng.uniform(0, size / 10)
    for top in range(0, size, height):
        x = size / 2 + swing * np.sin(phase + 3 * top / size)
        body = ((int(x - width / 2), top + height // 8), (int(x + width / 2), top + height - height // 8))
        cv2.rectangle(plane, *body, float(rng.uniform(0.6, 0.75)), -1)
        cv2.rectangle(plane, *body, float(rng.uniform(0.8, 1.0)), 1)
    return np.clip(cv2.GaussianBlur(plane, (0, 0), size / rng.uniform(60, 200)), 0, 1)


def bars(rng: np.random.Generator, size: int) -> Plane:
    """A test pattern: a grid and steps of grey."""
    plane = np.full((size, size), rng.uniform(0.2, 0.7), np.float32)
    step = int(rng.integers(size // 14, size // 5))
    for at in range(step // 2, size, step):
        cv2.line(plane, (0, at), (size, at), 0.9, 1)
        cv2.line(plane, (at, 0), (at, size), 0.9, 1)
    count, top = int(rng.integers(4, 12)), int(rng.uniform(0.1, 0.7) * size)
    for number in range(count):
        left = int(size * (0.1 + 0.8 * number / count))
        corner = (left + int(0.8 * size / count), top + size // 5)
        cv2.rectangle(plane, (left, top), corner, number / count, -1)
    return plane


TRAINING: dict[str, Artist] = {
    artist.__name__: artist
    for artist in (
        noise, clouds, ramp, stripes, checkers, blobs, shapes, page, frame, breast, spine, bars,
    )
}  # fmt: skip
