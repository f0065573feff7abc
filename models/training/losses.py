"""What the network is taught: the image's label, the centres and edges of lesions, side facts."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from monai.data.box_utils import box_pair_giou
from numpy.typing import NDArray
from torch.nn import functional

from training.network import MAP_STRIDE, Evidence
from training.settings import TrainingSettings

# A cell this close to a lesion's centre (height of its bell) learns the edges of that lesion.
LEAST_BELL = 0.3
LEAST_SPREAD_CELLS = 0.7


class Targets(NamedTuple):
    """`labels` (N,) and `side` (N, k), -1 unknown; `bells` (N, 1, h, w); `boxes` (N, 4, h, w) in cells."""

    labels: torch.Tensor
    bells: torch.Tensor
    boxes: torch.Tensor
    side: torch.Tensor


def bell_map(boxes: NDArray[np.float32], size: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """For each cell of a square of `size`: how near the centre of a lesion it is (0..1), and that lesion.

    A bell (Gaussian) with a quarter of the box as its deviation, 1 at the cell that holds the
    centre. Shapes (h, w) and (4, h, w); the box is in cells, zero where there is none.
    """
    count = size // MAP_STRIDE
    bells = np.zeros((count, count), np.float32)
    around = np.zeros((4, count, count), np.float32)
    cells = np.arange(count, dtype=np.float32) + 0.5
    for box in boxes / np.float32(MAP_STRIDE):
        x, y = (box[0] + box[2]) / 2, (box[1] + box[3]) / 2
        # The bell stands on the nearest cell's centre, so that one cell is fully right.
        x, y = np.clip(np.floor([x, y]), 0, count - 1) + 0.5
        spread = np.maximum((box[2:] - box[:2]) / 4, LEAST_SPREAD_CELLS)
        bell = np.outer(
            np.exp(-0.5 * ((cells - y) / spread[1]) ** 2), np.exp(-0.5 * ((cells - x) / spread[0]) ** 2)
        ).astype(np.float32)
        is_nearer = bell > bells
        bells[is_nearer] = bell[is_nearer]
        around[:, is_nearer] = box[:, None]
    return bells, around


def loss_of(evidence: Evidence, targets: Targets, settings: TrainingSettings) -> torch.Tensor:
    """All parts, weighted; what is unknown (-1) weighs nothing."""
    known = (targets.labels >= 0).float()
    image = functional.binary_cross_entropy_with_logits(
        evidence.logits[:, 0], targets.labels.clamp(min=0), reduction="none"
    )
    total = (image * known).sum() / known.sum().clamp(min=1)
    # A positive without a box says nothing of the place.
    is_placed = (targets.labels == 0) | (targets.bells.flatten(1).amax(1) > 0)
    total = total + settings.map_weight * _map_loss(evidence.map_logits, targets.bells, known * is_placed)
    total = total + settings.box_weight * _box_loss(evidence.edges, targets)
    side_known = (targets.side >= 0).float()
    side = functional.binary_cross_entropy_with_logits(
        evidence.side, targets.side.clamp(min=0), reduction="none"
    )
    return total + settings.auxiliary_weight * (side * side_known).sum() / side_known.sum().clamp(min=1)


def _map_loss(logits: torch.Tensor, bells: torch.Tensor, known: torch.Tensor) -> torch.Tensor:
    """Quality focal loss (Li et al. 2020): cross entropy to a soft target, easy cells weigh little."""
    plain = functional.binary_cross_entropy_with_logits(logits, bells, reduction="none")
    weight = (bells - torch.sigmoid(logits)).abs() ** 2
    lesions = (bells >= 0.999).flatten(1).sum(1).clamp(min=1).float()
    per_image = (weight * plain).flatten(1).sum(1) / lesions.sqrt()
    return (per_image * known).sum() / known.sum().clamp(min=1)


def _box_loss(edges: torch.Tensor, targets: Targets) -> torch.Tensor:
    """Generalised IoU of the boxes that cells near a centre give, weighted by nearness."""
    weight = targets.bells[:, 0] * (targets.bells[:, 0] >= LEAST_BELL)
    chosen = weight > 0
    if not bool(chosen.any()):
        return edges.sum() * 0.0
    given = boxes_of(edges).permute(0, 2, 3, 1)[chosen]
    true = targets.boxes.permute(0, 2, 3, 1)[chosen]
    return ((1 - box_pair_giou(given, true)) * weight[chosen]).sum() / weight[chosen].sum()


def boxes_of(edges: torch.Tensor) -> torch.Tensor:
    """Left, top, right, bottom in cells, (N, 4, h, w), of the distances that each cell gives."""
    rows, columns = edges.shape[2:]
    y = torch.arange(rows, device=edges.device, dtype=edges.dtype).view(1, 1, -1, 1) + 0.5
    x = torch.arange(columns, device=edges.device, dtype=edges.dtype).view(1, 1, 1, -1) + 0.5
    return torch.cat([x - edges[:, :1], y - edges[:, 1:2], x + edges[:, 2:3], y + edges[:, 3:]], dim=1)
