"""The guard's settings, read from `picture.toml`."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path

PATH = Path(__file__).with_name("picture.toml")


@dataclass(frozen=True, slots=True)
class Settings:
    """How one guard is made; `views` counts the views of each picture by kind and alteration.

    `rejected_by_kind` is a share of the held-out views in scope; `distance_slack` multiplies the largest
    distance among them.
    """

    seed: int
    folds: int
    stored_side: int
    phantoms: int
    phantom_first_seed: int
    hidden: int
    components: int
    epochs: int
    learning_rate: float
    weight_decay: float
    rejected_by_kind: float
    distance_slack: float
    views: dict[str, float]


@dataclass(frozen=True, slots=True)
class Facts:
    """What a person decides about the bundle, not training."""

    version: str
    title: str
    intended_use: str
    licence: str


def load() -> tuple[Settings, Facts]:
    """Read both tables."""
    table = tomllib.loads(PATH.read_text(encoding="utf-8"))
    return Settings(**table["training"], views=table["views"]), Facts(**table["bundle"])
