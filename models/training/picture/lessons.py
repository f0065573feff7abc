"""What the guard learns from and what its thresholds are chosen on: views of every kind, in one order."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from training.picture.drawn import TRAINING, Plane
from training.picture.films import (
    CHEST,
    INVERTED,
    LIMB,
    OTHER,
    TURNED,
    Picture,
    draw_phantoms,
    hold_out,
    load_films,
)
from training.picture.settings import Settings
from training.picture.strangers import (
    TRAINING_PHOTOGRAPHS,
    Volume,
    draw_slice,
    find_photographs,
    load_volumes,
    project,
)
from training.picture.vary import SIDE, crop, invert, label_of, spoil, to_unit, turn, vary


@dataclass(frozen=True, slots=True)
class View:
    """One picture as the network is shown it; `source` names the group of its figures."""

    plane: Plane
    kind: str
    source: str


@dataclass(frozen=True, slots=True)
class Material:
    """Everything views are made of, on one side of the split."""

    films: list[Picture]
    phantoms: list[Picture]
    photographs: list[Picture]
    volumes: list[Volume]


def gather(data: Path, pictures: Path, settings: Settings) -> tuple[Material, Material]:
    """Read the material and split it by patient and by photograph: to learn from, and held out."""
    side = settings.stored_side
    chests = hold_out(load_films(data, "chest", "train", side=side), folds=settings.folds)
    limbs = hold_out(load_films(data, "fracture", "train", side=side), folds=settings.folds)
    first = settings.phantom_first_seed
    phantoms = list(draw_phantoms(range(first, first + settings.phantoms), side=side))
    photographs = hold_out(
        list(find_photographs(pictures, TRAINING_PHOTOGRAPHS, side=side)), folds=settings.folds
    )
    volumes = load_volumes(pictures)
    split = 2 * settings.phantoms * (settings.folds - 1) // settings.folds
    return (
        Material(chests[0] + limbs[0], phantoms[:split], photographs[0], volumes),
        Material(chests[1] + limbs[1], phantoms[split:], photographs[1], volumes),
    )


def views(
    material: Material, settings: Settings, rng: np.random.Generator, *, share: float
) -> Iterator[View]:
    """All views in a fixed order; `share` scales how many are made of what is drawn without end."""
    yield from _film_views(material.films, settings, rng)
    for picture in material.phantoms:
        yield View(to_unit(picture.image), picture.kind, f"phantom {picture.kind}")
        for _ in range(settings.views["phantom"]):
            yield View(vary(picture.image, picture.kind, rng), picture.kind, f"phantom {picture.kind}")
    for picture in material.photographs:
        for _ in range(settings.views["photograph"]):
            plane = vary(picture.image, OTHER, rng)
            yield View(1 - plane if rng.random() < 0.3 else plane, OTHER, "photograph")
    for name, artist in TRAINING.items():
        for _ in range(round(share * settings.views["drawn"])):
            yield View(crop(artist(rng, SIDE), rng, least=0.8), OTHER, f"drawn {name}")
    yield from _volume_views(material.volumes, rng, count=round(share * settings.views["volume"]))
    yield from plain_views(material)


def plain_views(material: Material) -> Iterator[View]:
    """Limbs and phantoms in negative and phantoms of chests turned, with nothing else changed.

    Without these every eleventh plain negative of a limb passed: it looks tamer than the varied ones.
    """
    for picture in (*material.films, *material.phantoms):
        if picture.kind == LIMB or picture.source.startswith("phantom"):
            yield View(1 - to_unit(picture.image), INVERTED, f"{picture.kind} as a plain negative")
    chests = [picture for picture in material.phantoms if picture.kind == CHEST]
    for number, picture in enumerate(chests):
        turned = np.ascontiguousarray(np.rot90(to_unit(picture.image), 1 + number % 3))
        yield View(turned, TURNED, "phantom turned")


def _film_views(films: Iterable[Picture], settings: Settings, rng: np.random.Generator) -> Iterator[View]:
    for film in films:
        yield View(to_unit(film.image), film.kind, f"{film.kind} as it is")
        for way in ("keep", "turn", "invert", "spoil"):
            # A share of a view is a view of that share of the films.
            count = int(settings.views[f"{film.kind}.{way}"] + rng.random())
            for _ in range(count):
                yield View(_altered(film, way, rng), label_of(way, film.kind), f"{film.kind} {way}")


def _altered(film: Picture, way: str, rng: np.random.Generator) -> Plane:
    if way == "turn":
        return turn(film.image, rng)
    return {"keep": vary, "invert": invert, "spoil": spoil}[way](film.image, film.kind, rng)


def _volume_views(volumes: Iterable[Volume], rng: np.random.Generator, *, count: int) -> Iterator[View]:
    for volume in volumes:
        for _ in range(count):
            image = np.round(255 * draw_slice(volume, rng)).astype(np.uint8)
            yield View(vary(image, OTHER, rng), OTHER, f"slice of {volume.name}")
            if not volume.name.endswith("MR"):
                yield View(_projection(volume, rng), OTHER, f"projection of {volume.name}")


def _projection(volume: Volume, rng: np.random.Generator) -> Plane:
    """A chest from the side or aslant, a belly from the front, a head from anywhere."""
    if volume.name == "head CT":
        plane = project(volume, rng, turn_deg=rng.uniform(0, 360))
    elif rng.random() < 0.25:
        plane = project(volume, rng, turn_deg=rng.choice([0, 180]) + rng.normal(0, 8))
        plane = plane[int(rng.uniform(0.5, 0.6) * len(plane)) :]
    else:
        plane = project(volume, rng, turn_deg=rng.choice([90, 270]) + rng.uniform(-40, 40))
    image = np.round(255 * plane).astype(np.uint8)
    # Seen as films are: the same croppings, greys and margins, which `limb` varies most.
    return vary(image, LIMB if rng.random() < 0.5 else CHEST, rng)
