"""Run a network over prepared images and put quick figures on a held-out fold."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.metrics import average_precision_score, roc_auc_score

from training.augment import frame_matrix
from training.dataset import Sample
from training.fold import to_grey
from training.manifest import input_spec
from training.network import MAP_STRIDE, LesionNet
from training.settings import TrainingSettings
from wetread.infer.prepare import to_input


def score(network: LesionNet, samples: list[Sample], settings: TrainingSettings) -> dict[str, float]:
    """AUC, average precision, and how often the map's peak lies in a true box of a positive image."""
    spec = input_spec(settings)
    logits, hits = [], []
    for sample in samples:
        logit, cells = read(network, to_input(to_grey(sample.image), spec))
        logits.append(logit)
        if len(sample.boxes):
            hits.append(peak_in_box(cells, sample, settings))
    labels = [sample.label for sample in samples]
    return {
        "auc": round(float(roc_auc_score(labels, logits)), 4),
        "average_precision": round(float(average_precision_score(labels, logits)), 4),
        "peak_in_box": round(float(np.mean(hits)), 4),
    }


@torch.no_grad()
def read(network: LesionNet, image: NDArray[np.float32]) -> tuple[float, NDArray[np.float32]]:
    """Logit and map of one prepared image (1, 1, rows, columns)."""
    device = next(network.parameters()).device
    evidence = network(torch.tensor(image).to(device))
    return float(evidence.logits[0, 0]), evidence.map_logits[0, 0].cpu().numpy()


def peak_in_box(cells: NDArray[np.float32], sample: Sample, settings: TrainingSettings) -> bool:
    """Whether the strongest cell's centre lies in a true box (one cell of slack)."""
    row, column = np.unravel_index(int(cells.argmax()), cells.shape)
    x, y = (float(column) + 0.5) * MAP_STRIDE, (float(row) + 0.5) * MAP_STRIDE
    matrix = frame_matrix(sample.image.shape, settings.size, settings.fit)
    inverse = np.linalg.inv(matrix)
    left, top = (inverse @ np.array([x - MAP_STRIDE, y - MAP_STRIDE, 1.0]))[:2]
    right, bottom = (inverse @ np.array([x + MAP_STRIDE, y + MAP_STRIDE, 1.0]))[:2]
    b = sample.boxes
    return bool(((b[:, 0] <= right) & (b[:, 2] >= left) & (b[:, 1] <= bottom) & (b[:, 3] >= top)).any())
