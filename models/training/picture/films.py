"""Radiographs and QC phantoms as pictures of a known kind."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import cv2
import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.model_selection import GroupKFold

from wetread.phantom.chest import draw_chest
from wetread.phantom.limb import draw_limb

Grey: TypeAlias = NDArray[np.uint8]

CHEST, LIMB, TURNED, INVERTED, OTHER = "chest_frontal", "limb", "chest_turned", "inverted", "other"
KINDS = (CHEST, LIMB, TURNED, INVERTED, OTHER)
# The folders of the data and what their images are.
FOLDERS = {"chest": CHEST, "fracture": LIMB}
LIMB_VIEWS = ("AP", "LATERAL")
_PHANTOM_SIDE = 512


@dataclass(frozen=True, slots=True)
class Picture:
    """One picture: `image` (rows, columns), dense tissue bright; `source` says where it is from.

    Pictures of one `group` (a patient, a photograph) stay on one side of every split.
    """

    image: Grey
    kind: str
    group: str
    source: str


def shrink(image: NDArray[np.generic], side: int) -> Grey:
    """At most `side` pixels long, 8 bits."""
    scale = side / max(image.shape[:2])
    if scale < 1:
        size = (max(1, round(image.shape[1] * scale)), max(1, round(image.shape[0] * scale)))
        image = cv2.resize(np.asarray(image), size, interpolation=cv2.INTER_AREA)
    return np.asarray(image, np.uint8)


def load_films(data: Path, folder: str, split: str, *, side: int) -> list[Picture]:
    """The radiographs of one split; films marked as perhaps inverted are left out of the training split."""
    name = "external_manifest.csv" if split == "external_test" else "manifest.csv"
    table = pd.read_csv(data / folder / name, dtype=str, keep_default_na=False)
    table = table[table["split"] == split]
    if split == "train" and "maybe_inverted" in table:
        table = table[table["maybe_inverted"] == "0"]
    films = []
    for row in table.to_dict("records"):
        image = cv2.imread(str(data / folder / row["file"]), cv2.IMREAD_GRAYSCALE)
        if image is None:
            raise FileNotFoundError(data / folder / row["file"])
        films.append(Picture(shrink(image, side), FOLDERS[folder], row["group"], row["file"]))
    return films


def draw_phantoms(seeds: Sequence[int], *, side: int) -> Iterator[Picture]:
    """A chest and a limb per seed, in turn with a lesion and without."""
    for seed in seeds:
        chest = draw_chest(seed, opacity=seed % 2 == 0, rows=_PHANTOM_SIDE, columns=_PHANTOM_SIDE)
        limb = draw_limb(seed, broken=seed % 2 == 0, view=LIMB_VIEWS[seed // 2 % 2])
        for kind, phantom in ((CHEST, chest), (LIMB, limb)):
            grey = np.round(phantom.pixels * (255.0 / 4095.0)).astype(np.uint8)
            yield Picture(shrink(grey, side), kind, f"phantom-{seed}", f"phantom {kind} {seed}")


def hold_out(pictures: list[Picture], *, folds: int) -> tuple[list[Picture], list[Picture]]:
    """Split by group into training and the first fold."""
    groups = [picture.group for picture in pictures]
    kept, held = next(iter(GroupKFold(folds).split(pictures, groups=groups)))
    return [pictures[index] for index in kept], [pictures[index] for index in held]
