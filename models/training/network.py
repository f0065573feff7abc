"""The network: a residual backbone that classifies the image and says where, cell by cell."""

from __future__ import annotations

from typing import NamedTuple

import torch
from monai.networks.blocks import Convolution
from monai.networks.nets.resnet import ResNet
from torch import nn
from torch.nn import functional

MAP_STRIDE = 8
LOCAL_WINDOW_CELLS = 5
SHARPNESS = 4.0


class Evidence(NamedTuple):
    """`logits` (N, 1); `map_logits` (N, 1, h, w) per cell of `MAP_STRIDE` pixels; `side` (N, k)."""

    logits: torch.Tensor
    map_logits: torch.Tensor
    side: torch.Tensor


class LesionNet(nn.Module):
    """Fully convolutional: any input whose sides are multiples of 32 pixels.

    A MONAI ResNet-18 of half width; its strides 8, 16 and 32 are summed top-down into one map at
    stride 8 (Lin et al. 2017, feature pyramids). The image logit joins the map's smooth maximum
    with a whole-image branch.
    """

    def __init__(self, *, width: int = 32, head_width: int = 64, side_targets: int = 1) -> None:
        super().__init__()
        planes = [width, width * 2, width * 4, width * 8]
        self.backbone = ResNet(
            "basic",
            [2, 2, 2, 2],
            planes,
            spatial_dims=2,
            n_input_channels=2,
            conv1_t_size=7,
            conv1_t_stride=2,
        )
        self.laterals = nn.ModuleList(nn.Conv2d(count, head_width, 1) for count in planes[1:])
        self.refine = Convolution(2, head_width, head_width, act="RELU", norm="BATCH")
        self.to_map = nn.Conv2d(head_width, 1, 1)
        self.dropout = nn.Dropout(0.3)
        self.whole_image = nn.Linear(planes[3] * 2, 1)
        self.side = nn.Linear(planes[3] * 2, side_targets)
        self.join = nn.Linear(2, 1)
        nn.init.constant_(self.to_map.bias, -3.0)
        nn.init.constant_(self.join.weight, 0.7)
        nn.init.constant_(self.join.bias, 1.0)

    def forward(self, image: torch.Tensor) -> Evidence:
        """`image` is (N, 1, rows, columns), 0..1, dense tissue bright."""
        deep = self._features(normalise(image))
        map_logits = self.to_map(self.refine(self._merge(deep)))
        top = deep[-1]
        pooled = self.dropout(torch.cat([top.mean((2, 3)), top.amax((2, 3))], dim=1))
        logits = self.join(torch.cat([smooth_maximum(map_logits), self.whole_image(pooled)], dim=1))
        return Evidence(logits, map_logits, self.side(pooled))

    def _features(self, x: torch.Tensor) -> list[torch.Tensor]:
        net = self.backbone
        x = net.maxpool(net.act(net.bn1(net.conv1(x))))
        x = net.layer1(x)
        features = []
        for layer in (net.layer2, net.layer3, net.layer4):
            x = layer(x)
            features.append(x)
        return features

    def _merge(self, features: list[torch.Tensor]) -> torch.Tensor:
        merged = self.laterals[-1](features[-1])
        for lateral, feature in zip(self.laterals[-2::-1], features[-2::-1], strict=True):
            merged = lateral(feature) + functional.interpolate(merged, scale_factor=2.0, mode="nearest")
        return merged


def normalise(image: torch.Tensor) -> torch.Tensor:
    """Two channels: the image standardised as a whole, and against its neighbourhood.

    The second makes the network see bone edges alike in a bright and in a dark film: mean and
    deviation come from a window of `LOCAL_WINDOW_CELLS` cells of `MAP_STRIDE` pixels.
    """
    mean = image.mean((2, 3), keepdim=True)
    deviation = ((image - mean) ** 2).mean((2, 3), keepdim=True).sqrt()
    whole = (image - mean) / (deviation + 0.02)
    local_mean = _smooth(_shrink(image))
    local_square = _smooth(_shrink(image * image))
    local_deviation = (local_square - local_mean * local_mean).clamp(min=0.0).sqrt()
    local = (image - _grow(local_mean)) / (_grow(local_deviation) + 0.02)
    return torch.cat([whole, local], dim=1)


def _shrink(image: torch.Tensor) -> torch.Tensor:
    return functional.avg_pool2d(image, MAP_STRIDE)


def _smooth(cells: torch.Tensor) -> torch.Tensor:
    return functional.avg_pool2d(
        cells, LOCAL_WINDOW_CELLS, stride=1, padding=LOCAL_WINDOW_CELLS // 2, count_include_pad=False
    )


def _grow(cells: torch.Tensor) -> torch.Tensor:
    return functional.interpolate(cells, scale_factor=float(MAP_STRIDE), mode="bilinear", align_corners=False)


def smooth_maximum(map_logits: torch.Tensor) -> torch.Tensor:
    """Log-mean-exp over the map, (N, 1): near the maximum, yet every cell gets a gradient."""
    flat = map_logits.flatten(1) * SHARPNESS
    cells = torch.ones_like(flat[:, :1]) * flat.shape[1]
    return (torch.logsumexp(flat, dim=1, keepdim=True) - cells.log()) / SHARPNESS
