"""Fits the guard's head and distance to frozen features, and chooses its thresholds on the held-out fold."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional

from training.picture.films import CHEST, KINDS, LIMB
from training.picture.network import Features, Guard
from training.picture.settings import Settings

IN_SCOPE = (CHEST, LIMB)
_BATCH = 256
# Features that hardly ever fire would be blown up by their own small spread.
_LEAST_SCALE = 0.02


@dataclass(frozen=True, slots=True)
class Lessons:
    """Features of many views with what each shows and where it is from."""

    features: Features
    kinds: NDArray[np.str_]
    sources: NDArray[np.str_]

    @property
    def is_film(self) -> NDArray[np.bool_]:
        """Which are films in scope, as they are or varied: what must not be turned away."""
        return np.isin(self.kinds, IN_SCOPE)


@dataclass(frozen=True, slots=True)
class Thresholds:
    """Least probability of the kinds that a model reads, and the most distance, both as in the manifest."""

    least_probability: float
    most_distance: float


def fit(lessons: Lessons, settings: Settings) -> Guard:
    """Head by gradient descent, centres and covariance in closed form; the same seed gives the same guard."""
    torch.manual_seed(settings.seed)
    x = torch.from_numpy(lessons.features)
    guard = Guard(
        features=x.shape[1],
        kinds=len(KINDS),
        hidden=settings.hidden,
        in_scope=len(IN_SCOPE),
        components=settings.components,
    )
    guard.mean.copy_(x.mean(0))
    guard.scale.copy_(x.std(0).clamp(min=_LEAST_SCALE))
    normal = (x - guard.mean) / guard.scale
    _fit_distance(guard, normal, lessons.kinds)
    _fit_head(guard, normal, torch.tensor([KINDS.index(kind) for kind in lessons.kinds]), settings)
    return guard.eval()


def _fit_distance(guard: Guard, normal: torch.Tensor, kinds: NDArray[np.str_]) -> None:
    parts = [normal[torch.from_numpy(kinds == kind)] for kind in IN_SCOPE]
    guard.centres.copy_(torch.stack([part.mean(0) for part in parts]))
    off = torch.cat([part - part.mean(0) for part in parts])
    variances, directions = torch.linalg.eigh(off.T @ off / len(off))
    count = guard.variances.shape[0]
    guard.directions.copy_(directions[:, -count:])
    guard.variances.copy_(variances[-count:])
    guard.rest.fill_(float(variances[:-count].mean()))


def _fit_head(guard: Guard, normal: torch.Tensor, target: torch.Tensor, settings: Settings) -> None:
    counts = torch.bincount(target, minlength=len(KINDS)).float()
    weights = (counts.mean() / counts).sqrt()
    steps = settings.epochs * (len(normal) // _BATCH)
    optimiser = torch.optim.AdamW(
        guard.head.parameters(), lr=settings.learning_rate, weight_decay=settings.weight_decay
    )
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, settings.learning_rate, total_steps=steps)
    guard.train()
    for _ in range(steps):
        picks = torch.randint(len(normal), (_BATCH,))
        loss = functional.cross_entropy(
            guard.head(normal[picks]), target[picks], weight=weights, label_smoothing=0.02
        )
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        schedule.step()


def answers(guard: Guard, lessons: Lessons) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Probabilities (views, kinds) and distances (views,)."""
    with torch.no_grad():
        logits, distance = guard(torch.from_numpy(lessons.features))
    return torch.softmax(logits.double(), 1).numpy(), distance[:, 0].double().numpy()


def choose(guard: Guard, held: Lessons, settings: Settings) -> Thresholds:
    """By kind the strictest threshold that the settings allow; by distance beyond all films held out."""
    probabilities, distances = answers(guard, held)
    columns = [KINDS.index(kind) for kind in held.kinds[held.is_film]]
    own = probabilities[held.is_film, :][np.arange(len(columns)), columns]
    least = float(np.quantile(own, settings.rejected_by_kind))
    most = settings.distance_slack * float(distances[held.is_film].max())
    return Thresholds(round(least, 4), round(most, 4))
