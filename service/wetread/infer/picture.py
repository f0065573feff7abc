"""What a guard says of one image, and whether a model may read such a picture."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

import numpy as np

from wetread.errors import Rejected
from wetread.infer.manifest import PictureSpec
from wetread.infer.outputs import Outputs

# Kinds that no model reads; any other kind that a model does not read is the wrong part or view.
TURNED: Final = "chest_turned"
INVERTED: Final = "inverted"
OTHER: Final = "other"

_WORDS: Final = MappingProxyType({"chest_frontal": "a frontal chest", "limb": "a limb"})


@dataclass(frozen=True, slots=True)
class Picture:
    """A probability 0..1 for every kind of the manifest, in its order; they add up to one.

    `distance` is in the guard's own unit, None where it measures none. `is_strange`: it is beyond the
    manifest's `most_distance`, so that the picture is none of the kinds, however probable one looks.
    `least_probability` is what the kinds that a model may read must add up to.
    """

    probabilities: Mapping[str, float]
    distance: float | None
    is_strange: bool
    least_probability: float = 0.5

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
        least_probability=spec.least_probability,
    )


def check_picture(picture: Picture, allowed: Collection[str]) -> None:
    """Let pass what a model may read; `allowed` are kinds of the guard.

    Raises Rejected: `picture_wrong_part`, `picture_turned`, `picture_inverted`, or `picture_unknown` for what
    is none of the guard's kinds, resembles nothing that it knows, or leaves it in doubt.
    """
    share = sum(picture.probabilities[kind] for kind in allowed)
    if share >= picture.least_probability and not picture.is_strange:
        return
    wanted, kind = " or ".join(_name(kind) for kind in sorted(allowed)), picture.kind
    if kind == TURNED:
        raise Rejected("the picture lies on its side or upside down", code="picture_turned")
    if kind == INVERTED:
        raise Rejected("the greys of the picture are inverted", code="picture_inverted")
    if kind == OTHER or kind in allowed or picture.is_strange:
        raise Rejected(f"the picture is not clearly of {wanted}", code="picture_unknown")
    raise Rejected(f"the picture shows {_name(kind)}, not {wanted}", code="picture_wrong_part")


def _name(kind: str) -> str:
    return _WORDS.get(kind, kind.replace("_", " "))
