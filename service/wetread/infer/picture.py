"""What a guard says of one image: what kind of picture it is, and how far from all that it knows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from wetread.infer.manifest import PictureSpec
from wetread.infer.outputs import Outputs


@dataclass(frozen=True, slots=True)
class Picture:
    """A probability 0..1 for every kind of the manifest, in its order; they add up to one.

    `distance` is in the guard's own unit, None where it measures none. `is_strange`: it is beyond the
    manifest's `most_distance`, so that the picture is none of the kinds, however probable one looks.
    """

    probabilities: Mapping[str, float]
    distance: float | None
    is_strange: bool

    @property
    def kind(self) -> str:
        """The most probable kind."""
        return max(self.probabilities, key=self.probabilities.__getitem__)


def to_picture(spec: PictureSpec, outputs: Outputs) -> Picture:
    """Turn a guard's answer for one image into words."""
    assert outputs.logits is not None, "a guard has logits: its manifest cannot leave them out"
    logits = outputs.logits.astype(np.float64)
    shares = np.exp(logits - np.logaddexp.reduce(logits))
    far = outputs.distance is not None and spec.most_distance is not None
    return Picture(
        probabilities=dict(zip(spec.kinds, shares.tolist(), strict=True)),
        distance=outputs.distance,
        is_strange=far and outputs.distance > spec.most_distance,  # type: ignore[operator]  # `far` rules None out
    )
