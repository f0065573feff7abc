"""Varied views of pictures: what other machines, sizes, croppings and mistakes make of the same film."""

from __future__ import annotations

import cv2
import numpy as np

from training.picture.drawn import Plane, write
from training.picture.films import CHEST, INVERTED, LIMB, OTHER, TURNED, Grey

SIDE = 224
_LETTERS = ("R", "L", "PA", "AP", "R AP", "L LAT", "STANDING", "PORTABLE", "12:30")


def to_unit(image: Grey) -> Plane:
    """8 bits as 0..1."""
    return image.astype(np.float32) / np.float32(255)


def vary(image: Grey, kind: str, rng: np.random.Generator) -> Plane:
    """Another view of the same kind; films and phantoms as other rooms might have taken them."""
    if kind == CHEST:
        plane = _warp(to_unit(image), rng, turn_deg=8.0, stretch=0.3, zoom=0.25)
    elif kind == LIMB:
        plane = _warp(_any_way_up(to_unit(image), rng), rng, turn_deg=25.0, stretch=0.15, zoom=0.45)
    else:
        plane = crop(_any_way_up(to_unit(image), rng), rng)
    return _finish(plane, rng)


def turn(image: Grey, rng: np.random.Generator) -> Plane:
    """A chest film lying on a side or upside down."""
    quarters = int(rng.choice([1, 2, 2, 3]))
    return np.ascontiguousarray(np.rot90(vary(image, CHEST, rng), quarters))


def invert(image: Grey, kind: str, rng: np.random.Generator) -> Plane:
    """A film with dense tissue dark, now and then with a margin that was not inverted with it."""
    plane = 1.0 - _tone(vary(image, kind, rng), rng)
    return _margins(plane, rng) if rng.random() < 0.25 else plane


def spoil(image: Grey, kind: str, rng: np.random.Generator) -> Plane:
    """A film that no longer shows what it did: shuffled, swirled, burnt out, a scrap, or through a tube."""
    plane = to_unit(image)
    way = rng.integers(5)
    if way == 0:
        return _shuffle(plane, rng)
    if way == 1:
        return _swirl(plane, rng)
    if way == 2:
        return _burn(plane, rng)
    if way == 3 and kind == CHEST:
        return crop(plane, rng, least=0.12, most=0.3)
    return _through_tube(plane, rng)


def crop(plane: Plane, rng: np.random.Generator, *, least: float = 0.35, most: float = 1.0) -> Plane:
    """A window of the sizes and aspects that films have: nothing may be known by its aspect alone."""
    aspect = np.exp(rng.uniform(-0.35, 0.35))
    side = rng.uniform(least, most) * min(plane.shape)
    rows, columns = int(min(plane.shape[0], side * aspect)), int(min(plane.shape[1], side / aspect))
    top = int(rng.integers(0, plane.shape[0] - rows + 1))
    left = int(rng.integers(0, plane.shape[1] - columns + 1))
    return np.ascontiguousarray(plane[top : top + rows, left : left + columns])


def _any_way_up(plane: Plane, rng: np.random.Generator) -> Plane:
    plane = np.rot90(plane, int(rng.integers(4)) if rng.random() < 0.6 else 0)
    return np.ascontiguousarray(plane[:, ::-1] if rng.random() < 0.5 else plane)


def _warp(plane: Plane, rng: np.random.Generator, *, turn_deg: float, stretch: float, zoom: float) -> Plane:
    """Turned a little, zoomed and shifted, into a frame of another aspect."""
    aspect = np.exp(rng.uniform(-stretch, stretch))
    rows, columns = plane.shape
    height, width = rows * np.sqrt(aspect), columns / np.sqrt(aspect)
    # A frame cut to the film, or one of another aspect into which more of the film or less fits.
    frame_aspect = aspect if rng.random() < 0.6 else np.exp(rng.uniform(-stretch, stretch))
    size = (int(columns / np.sqrt(frame_aspect)), int(rows * np.sqrt(frame_aspect)))
    scale = np.exp(rng.uniform(-zoom / 2, zoom))
    matrix = cv2.getRotationMatrix2D((columns / 2, rows / 2), rng.normal(0, turn_deg / 2), scale)
    matrix = np.diag([width / columns, height / rows]) @ matrix
    shift = rng.uniform(-0.07, 0.07, 2) * (columns, rows)
    matrix[:, 2] += (np.array(size) - (width, height)) / 2 + shift
    if rng.random() < 0.3:
        matrix[0] = -matrix[0]
        matrix[0, 2] += size[0]
    return np.asarray(cv2.warpAffine(plane, matrix, size, flags=cv2.INTER_LINEAR), np.float32)


def _finish(plane: Plane, rng: np.random.Generator) -> Plane:
    plane = _tone(plane, rng)
    if rng.random() < 0.25:
        plane = _margins(plane, rng)
    if rng.random() < 0.3:
        plane = np.ascontiguousarray(plane)
        at = (int(rng.uniform(0, 0.8) * plane.shape[1]), int(rng.uniform(0.1, 1) * plane.shape[0]))
        grey = float(rng.choice([0.0, 1.0, 1.0]))
        write(plane, str(rng.choice(_LETTERS)), at, height=int(rng.integers(8, 24)), grey=grey)
    return plane


def _tone(plane: Plane, rng: np.random.Generator) -> Plane:
    """Another grey scale, softness and grain; order and polarity of the greys stay."""
    if rng.random() < 0.4:
        low, high = np.percentile(plane[::3, ::3], (rng.uniform(0, 8), rng.uniform(94, 100)))
        plane = (plane - low) / max(high - low, 0.1)
    plane = np.clip(plane, 0, 1) ** np.exp(rng.uniform(-0.6, 0.6))
    plane = plane * rng.uniform(0.6, 1.0) + rng.uniform(0, 0.2)
    if rng.random() < 0.25:
        plane = cv2.GaussianBlur(plane, (0, 0), rng.uniform(0.4, 1.5))
    if rng.random() < 0.3:
        plane = plane + rng.normal(0, rng.uniform(0.005, 0.05), plane.shape)
    return np.clip(plane, 0, 1).astype(np.float32)


def _margins(plane: Plane, rng: np.random.Generator) -> Plane:
    """Collimator blades or paper on some sides: black, or white as where nothing was shielded."""
    plane, grey = plane.copy(), float(rng.choice([0.0, 0.0, 1.0]))
    rows, columns = plane.shape
    top, bottom, left, right = rng.uniform(0, 0.2, 4) * (rng.random(4) < 0.5)
    plane[: int(top * rows)], plane[rows - int(bottom * rows) :] = grey, grey
    plane[:, : int(left * columns)], plane[:, columns - int(right * columns) :] = grey, grey
    return plane


def _shuffle(plane: Plane, rng: np.random.Generator) -> Plane:
    count = int(rng.integers(3, 6))
    rows, columns = plane.shape[0] // count, plane.shape[1] // count
    order = rng.permutation(count * count)
    if np.array_equal(order, np.arange(len(order))):
        order = order[::-1]
    shuffled = plane.copy()
    for to, source in enumerate(order):
        y, x = (to // count) * rows, (to % count) * columns
        v, u = (source // count) * rows, (source % count) * columns
        shuffled[y : y + rows, x : x + columns] = plane[v : v + rows, u : u + columns]
    return shuffled


def _swirl(plane: Plane, rng: np.random.Generator) -> Plane:
    rows, columns = plane.shape
    y, x = np.mgrid[0:rows, 0:columns].astype(np.float32)
    cy, cx = rows / 2, columns / 2
    away = np.hypot(y - cy, x - cx) / min(rows, columns)
    angle = rng.choice([-1, 1]) * rng.uniform(2.5, 7) * np.exp(-away * rng.uniform(2, 4))
    map_x = cx + np.cos(angle) * (x - cx) - np.sin(angle) * (y - cy)
    map_y = cy + np.sin(angle) * (x - cx) + np.cos(angle) * (y - cy)
    swirled = cv2.remap(plane, map_x.astype(np.float32), map_y.astype(np.float32), cv2.INTER_LINEAR)
    return np.asarray(swirled, np.float32)


def _burn(plane: Plane, rng: np.random.Generator) -> Plane:
    """Exposure far too high or too low: most of the film at one end of the scale."""
    level = np.percentile(plane, rng.choice([4, 96]) + rng.uniform(-2, 2))
    return np.clip((plane - level) * rng.uniform(6, 30) + 0.5, 0, 1).astype(np.float32)


def _through_tube(plane: Plane, rng: np.random.Generator) -> Plane:
    """As on an image intensifier: a scrap in a disc on black, mostly with dense tissue dark."""
    plane = _tone(crop(plane, rng, least=0.3, most=0.8), rng)
    side = min(plane.shape)
    plane = plane[:side, :side]
    y, x = np.mgrid[-1 : 1 : side * 1j, -1 : 1 : side * 1j]
    plane = 1 - plane if rng.random() < 0.7 else plane
    return np.where(np.hypot(y, x) < rng.uniform(0.92, 1.05), plane, 0).astype(np.float32)


def label_of(way: str, kind: str) -> str:
    """What a film is after `keep`, `turn`, `invert` or `spoil`."""
    return {"keep": kind, "turn": TURNED, "invert": INVERTED, "spoil": OTHER}[way]
