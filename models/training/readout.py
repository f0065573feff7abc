"""The last part of the graph that the service runs: from evidence to logits, heat map, boxes and scores."""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional

from training.losses import boxes_of
from training.network import MAP_STRIDE, Evidence, LesionNet

MOST_BOXES = 20
PEAK_WINDOW_CELLS = 3
LARGEST_OVERLAP = 0.3


class Exported(nn.Module):
    """What the service runs.

    With `flips`, the evidence is averaged with that of the mirrored film. A box's score is the height
    of its peak times the probability of the whole image to the power `image_share`.
    """

    def __init__(self, network: LesionNet, *, flips: bool, image_share: float) -> None:
        super().__init__()
        self.network, self.flips, self.image_share = network, flips, image_share

    def forward(self, image: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]:
        """`image` (N, 1, s, s) to logits (N, 1), heat map (N, 1, h, w), boxes (N, K, 4), scores (N, K).

        Boxes are left, top, right, bottom in input pixels, strongest first; one that another has
        swallowed has score 0.
        """
        evidence = self.network(image)
        if self.flips:
            evidence = _mean(evidence, _mirrored(self.network(image.flip(3))))
        heat_map = torch.sigmoid(evidence.map_logits)
        boxes, scores = strongest(heat_map, evidence.edges)
        scores = scores * torch.sigmoid(evidence.logits) ** self.image_share
        return evidence.logits, heat_map, boxes, scores


def _mirrored(evidence: Evidence) -> Evidence:
    """The evidence of a mirrored film, as it lies on the film itself: left and right change places."""
    edges = evidence.edges.flip(3)
    return Evidence(
        evidence.logits,
        evidence.map_logits.flip(3),
        torch.cat([edges[:, 2:3], edges[:, 1:2], edges[:, 0:1], edges[:, 3:]], dim=1),
        evidence.side,
    )


def _mean(one: Evidence, other: Evidence) -> Evidence:
    return Evidence(*((a + b) / 2 for a, b in zip(one, other, strict=True)))


def strongest(heat_map: torch.Tensor, edges: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """The boxes of the highest peaks of the map, (N, K, 4) in input pixels, and their heights, (N, K).

    A peak is a cell that no neighbour exceeds (Zhou et al. 2019). A weaker box whose centre lies in
    a stronger one, or that overlaps it by more than `LARGEST_OVERLAP` (IoU), gets score 0.
    """
    around = functional.max_pool2d(heat_map, PEAK_WINDOW_CELLS, stride=1, padding=PEAK_WINDOW_CELLS // 2)
    peaks = (heat_map * (heat_map >= around).to(heat_map.dtype)).flatten(1)
    scores, cells = peaks.topk(MOST_BOXES, dim=1)
    all_boxes = boxes_of(edges).flatten(2).transpose(1, 2)
    boxes = torch.gather(all_boxes, 1, cells.unsqueeze(2).expand(-1, -1, 4)) * MAP_STRIDE
    is_stronger = torch.ones(MOST_BOXES, MOST_BOXES, device=boxes.device).triu(1)
    swallowed = (_swallows(boxes) * is_stronger).amax(dim=1)
    return boxes, scores * (1.0 - swallowed)


def _swallows(boxes: torch.Tensor) -> torch.Tensor:
    """(N, K, K): 1 where the row's box takes the column's for its own, else 0."""
    left, top, right, bottom = boxes.unbind(2)
    width = torch.minimum(right[:, :, None], right[:, None]) - torch.maximum(left[:, :, None], left[:, None])
    height = torch.minimum(bottom[:, :, None], bottom[:, None]) - torch.maximum(top[:, :, None], top[:, None])
    shared = width.clamp(min=0) * height.clamp(min=0)
    area = (right - left) * (bottom - top)
    union = area[:, :, None] + area[:, None] - shared
    x, y = (left + right) / 2, (top + bottom) / 2
    is_inside = (
        (x[:, None] > left[:, :, None])
        & (x[:, None] < right[:, :, None])
        & (y[:, None] > top[:, :, None])
        & (y[:, None] < bottom[:, :, None])
    )
    return ((shared > LARGEST_OVERLAP * union) | is_inside).to(boxes.dtype)
