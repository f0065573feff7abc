"""A network's tensors for one image, checked against its manifest and named by what they mean."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from wetread.domain import Box
from wetread.errors import Rejected
from wetread.infer.manifest import ClassificationSpec, Manifest, PictureSpec
from wetread.infer.prepare import Placement

# By role, None for any size; the first axis is the batch.
SHAPES: Final[Mapping[str, tuple[int | None, ...]]] = {
    "logits": (None, None),
    "heat_map": (None, None, None, None),
    "boxes": (None, None, 4),
    "scores": (None, None),
    "classes": (None, None),
    "distance": (None, 1),
}
# Rounding lets a score or a sigmoid come out a little above one.
_SLACK: Final = 1e-3


@dataclass(frozen=True, slots=True)
class Detections:
    """A detector's boxes (K, 4) in pixels of the network's input, scores (K,) above 0, classes (K,)."""

    boxes: NDArray[np.float32]
    scores: NDArray[np.float32]
    classes: NDArray[np.float32] | None

    def place(self, placement: Placement, *, channel: int) -> tuple[Box, ...]:
        """The boxes of one finding in pixels of the original image, clipped to it, strongest first.

        Those whose centre lies in the letterbox are left out. A detector without classes has one finding.
        """
        left, top, right, bottom = self.boxes.T
        is_wanted = placement.holds((left + right) / 2, (top + bottom) / 2)
        if self.classes is not None:
            is_wanted &= np.rint(self.classes) == channel
        order = [index for index in np.argsort(-self.scores, kind="stable") if is_wanted[index]]
        return tuple(
            Box(
                *placement.to_original_box(*(float(edge) for edge in self.boxes[index])),
                float(self.scores[index]),
            )
            for index in order
        )


@dataclass(frozen=True, slots=True)
class Outputs:
    """Logits (C,), heat maps (C or 1, h, w) 0..1, detections, a guard's distance; None: there is none."""

    logits: NDArray[np.float32] | None = None
    heat_maps: NDArray[np.float32] | None = None
    detections: Detections | None = None
    distance: float | None = None

    def heat_map(self, channel: int) -> NDArray[np.float32] | None:
        """The heat map (h, w) of a channel: its own, or the one that all share."""
        if self.heat_maps is None:
            return None
        return np.asarray(self.heat_maps[channel if len(self.heat_maps) > 1 else 0], np.float32)


def tensor_names(manifest: Manifest) -> dict[str, str]:
    """The ONNX output of every role that this model has."""
    named = {role: getattr(manifest.output, role, None) for role in SHAPES}
    return {role: name for role, name in named.items() if name is not None}


def read_outputs(manifest: Manifest, tensors: Mapping[str, NDArray[np.generic]]) -> Outputs:
    """Name the tensors of a batch of one, given by role.

    Raises Rejected `model_output` when a tensor has not the shape that its role asks for, or holds no number
    where one is needed.
    """
    for role, tensor in tensors.items():
        _check_shape(manifest.name, role, tensor.shape)
    # Copied: a tensor of ONNX Runtime is not ours to keep.
    own = {role: np.array(tensor[0], dtype=np.float32) for role, tensor in tensors.items()}
    for role in own.keys() - {"boxes", "classes"}:
        _check_numbers(manifest.name, own[role])
    for role in own.keys() & {"heat_map", "scores"}:
        own[role] = _to_unit(manifest.name, own[role])
    distance = own.get("distance")
    outputs = Outputs(
        logits=own.get("logits"),
        heat_maps=own.get("heat_map"),
        detections=_detections(manifest.name, own) if "boxes" in own else None,
        distance=None if distance is None else float(distance[0]),
    )
    _check_channels(manifest, outputs)
    return outputs


def _detections(name: str, own: Mapping[str, NDArray[np.float32]]) -> Detections:
    if len({len(own[role]) for role in ("boxes", "scores", "classes") if role in own}) > 1:
        raise _strange(name, "boxes, scores and classes differ in number")
    # Padding has score 0 and may hold anything.
    real = own["scores"] > 0
    for role in own.keys() & {"boxes", "classes"}:
        _check_numbers(name, own[role][real])
    classes = own.get("classes")
    return Detections(own["boxes"][real], own["scores"][real], None if classes is None else classes[real])


def _check_shape(name: str, role: str, shape: tuple[int, ...]) -> None:
    wanted = SHAPES[role]
    if len(shape) != len(wanted) or any(w not in (None, s) for w, s in zip(wanted, shape, strict=True)):
        raise _strange(name, f"{role} is {shape}, not {wanted}")


def _check_channels(manifest: Manifest, outputs: Outputs) -> None:
    """Every finding has its logit and its heat map, every kind of a guard its logit."""
    spec, last = manifest.output, max(manifest.channels, default=0)
    if isinstance(spec, ClassificationSpec) and spec.activation == "softmax":
        last = max(last, 1)
    if outputs.logits is not None:
        count = len(outputs.logits)
        if isinstance(spec, PictureSpec) and count != len(spec.kinds):
            raise _strange(manifest.name, f"{count} logits for {len(spec.kinds)} kinds")
        if count <= last:
            raise _strange(manifest.name, f"{count} logits, and channel {last} is needed")
    if outputs.heat_maps is not None and 1 < len(outputs.heat_maps) <= last:
        raise _strange(manifest.name, f"{len(outputs.heat_maps)} heat maps, and channel {last} is needed")


def _check_numbers(name: str, values: NDArray[np.float32]) -> None:
    if not np.isfinite(values).all():
        raise _strange(name, "it is no number")


def _to_unit(name: str, values: NDArray[np.float32]) -> NDArray[np.float32]:
    if values.size and (values.min() < -_SLACK or values.max() > 1 + _SLACK):
        raise _strange(name, "a score or heat map leaves 0..1")
    return np.clip(values, 0.0, 1.0)


def _strange(name: str, what: str) -> Rejected:
    return Rejected(f"{name} answered what its manifest does not say: {what}", code="model_output")
