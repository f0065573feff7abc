"""One model's training settings, read from its TOML file."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Phase:
    """One stretch of training with its own one-cycle learning rate.

    `crop` cuts windows of `size` pixels at full scale; otherwise the whole frame fills the square.
    `phantom_share` is the fraction of samples that are QC phantoms.
    """

    name: str
    steps: int
    batch: int
    size: int
    crop: bool
    peak_learning_rate: float
    phantom_share: float


@dataclass(frozen=True, slots=True)
class TrainingSettings:
    """What one training run is made of; `folds` counts group folds, the first is held out.

    `start` is "imagenet" or "scratch"; the backbone learns at `backbone_rate` times the rate of
    the rest. `flips`: the exported graph averages over the film and its mirror image;
    `image_share`: how much the whole image has a say in the score of a box (`readout.Exported`).
    """

    name: str
    task: str
    fit: str
    size: int
    stored_size: int
    seed: int
    folds: int
    positive_share: float
    weight_decay: float
    auxiliary_weight: float
    map_weight: float
    box_weight: float
    flip_vertical: bool
    largest_turn_deg: float
    weak_share: float
    phantoms: int
    phantom_first_seed: int
    phases: tuple[Phase, ...]
    backbone: str
    start: str
    backbone_rate: float
    average_decay: float = 0.998
    flips: bool = False
    image_share: float = 0.0


def load_settings(path: Path) -> TrainingSettings:
    """Read the `[training]` table and its `[[phases]]`."""
    table = tomllib.loads(path.read_text(encoding="utf-8"))
    phases = tuple(Phase(**phase) for phase in table["phases"])
    return TrainingSettings(phases=phases, **table["training"])
