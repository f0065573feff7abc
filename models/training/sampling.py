"""Draws balanced training batches: positives, negatives, report-labelled films and phantoms."""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from training.augment import Augmenter, View
from training.dataset import Sample
from training.losses import Targets, bell_map
from training.settings import Phase, TrainingSettings


class Batch(NamedTuple):
    """`images` (N, 1, s, s) 0..1, and what is to be learned of them."""

    images: torch.Tensor
    targets: Targets

    def to(self, device: torch.device) -> Batch:
        """The same batch on another device."""
        moved = Targets(*(target.to(device) for target in self.targets))
        return Batch(self.images.to(device, memory_format=torch.channels_last), moved)


class Sampler:
    """Batches of one phase, each a function of seed, phase and step alone."""

    def __init__(
        self,
        settings: TrainingSettings,
        phase: Phase,
        *,
        kept: list[Sample],
        held: list[Sample],
        weak: list[Sample],
        phantoms: list[Sample],
    ) -> None:
        cv2.setNumThreads(1)
        self.held = held
        self._settings, self._phase = settings, phase
        self._positives = [sample for sample in kept if sample.label == 1]
        negatives = [sample for sample in kept if sample.label == 0]
        self._negatives = matched_focus(negatives, self._positives, seed=settings.seed)
        self._weak = weak
        self._phantoms = phantoms
        self._augment = Augmenter(settings, phase)

    def batch(self, phase_index: int, step: int) -> Batch:
        """Draw the batch of one step."""
        rng = np.random.default_rng([self._settings.seed, phase_index, step])
        samples = [self._draw(rng) for _ in range(self._phase.batch)]
        views = [self._augment(sample, rng) for sample in samples]
        return _collate(samples, views, self._phase.size)

    def _draw(self, rng: np.random.Generator) -> Sample:
        dice = rng.random()
        if dice < self._phase.phantom_share:
            pool = self._phantoms
        elif dice < self._phase.phantom_share + self._settings.weak_share:
            pool = self._weak
        else:
            pool = self._positives if rng.random() < self._settings.positive_share else self._negatives
        return pool[int(rng.integers(len(pool)))]


def matched_focus(negatives: list[Sample], positives: list[Sample], *, seed: int) -> list[Sample]:
    """Look at negatives where lesions are on positives of the same body part.

    Otherwise windows on positives show the usual places of fractures, windows on negatives any
    place, and the network learns the place alone (it did, in the first version of this code).
    """
    rng = np.random.default_rng(seed)
    matched = []
    for sample in negatives:
        part = sample.facts.get("body_part", "")
        same = [positive for positive in positives if positive.facts.get("body_part", "") == part]
        twin = same[int(rng.integers(len(same)))] if same else None
        matched.append(sample if twin is None else replace(sample, focus=_moved(twin, sample)))
    return matched


def _moved(source: Sample, target: Sample) -> NDArray[np.float32]:
    rows, columns = (new / old for new, old in zip(target.image.shape, source.image.shape, strict=True))
    return source.boxes * np.array([columns, rows, columns, rows], np.float32)


def _collate(samples: list[Sample], views: list[View], size: int) -> Batch:
    images = torch.from_numpy(np.stack([view.image for view in views])[:, None])
    bells, boxes = zip(*(bell_map(view.boxes, size) for view in views), strict=True)
    targets = Targets(
        labels=torch.tensor([float(view.label) for view in views]),
        bells=torch.from_numpy(np.stack(bells)[:, None]),
        boxes=torch.from_numpy(np.stack(boxes)),
        side=torch.from_numpy(np.stack([sample.side for sample in samples])),
    )
    return Batch(images.contiguous(memory_format=torch.channels_last), targets)
