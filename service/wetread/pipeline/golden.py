"""Golden cases: QC phantoms drawn here and now, read by a bundle, and held against what it said when made."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from wetread.domain import Zone
from wetread.errors import Misconfigured
from wetread.infer.bundle import Bundle
from wetread.infer.engine import Engine
from wetread.phantom.chest import draw_chest
from wetread.phantom.film import STORED_MAXIMUM, Phantom
from wetread.phantom.limb import draw_limb

GOLDEN_NAME = "golden.json"
_STRIPES_SIDE = 512


class GoldenCase(BaseModel):
    """One entry of golden.json: how a phantom is drawn, and the answer expected of the bundle.

    `stripes` are no phantom but what a guard must know as none. `expected_probability` is the first
    finding's, of a guard that of `expected_kind`. `lesion_boxes` (left, top, right, bottom, pixels of the
    picture) are where lesions were drawn: what an explanation should point at.
    """

    model_config = ConfigDict(frozen=True, allow_inf_nan=False)

    phantom: Literal["chest", "limb", "stripes"]
    seed: int
    opacity: bool = False
    broken: bool = False
    view: Literal["AP", "LATERAL"] = "AP"
    quarter_turns: Annotated[int, Field(ge=0, le=3)] = 0
    inverted: bool = False
    expected_probability: Annotated[float, Field(ge=0, le=1)]
    tolerance: Annotated[float, Field(ge=0, le=1)]
    expected_zone: Zone | None = None
    expected_kind: str | None = None
    lesion_boxes: tuple[tuple[float, float, float, float], ...] = ()

    def show(self) -> NDArray[np.float32]:
        """The picture as a bundle reads it, (rows, columns), 0..1: the same on every machine."""
        if self.phantom == "stripes":
            shown = _draw_stripes(self.seed)
        else:
            shown = self._draw().pixels.astype(np.float32) / np.float32(STORED_MAXIMUM)
        shown = np.ascontiguousarray(np.rot90(shown, self.quarter_turns))
        return np.float32(1.0) - shown if self.inverted else shown

    def _draw(self) -> Phantom:
        if self.phantom == "chest":
            return draw_chest(self.seed, opacity=self.opacity)
        return draw_limb(self.seed, broken=self.broken, view=self.view)


@dataclass(frozen=True, slots=True)
class GoldenResult:
    """How many cases passed, and the largest difference of a probability from the expected one."""

    cases: int
    passed: int
    largest_difference: float


def check_golden(bundle: Bundle, engine: Engine) -> GoldenResult:
    """Read every golden case of a bundle with a warm engine.

    A case passes within its tolerance and in its zone, or with its kind. Raises Misconfigured when
    golden.json is not what `GoldenCase` says.
    """
    cases = read_golden(bundle.folder)
    differences, passed = [0.0], 0
    for case in cases:
        probability, is_named = _ask(case, bundle, engine)
        differences.append(abs(probability - case.expected_probability))
        passed += is_named and differences[-1] <= case.tolerance
    return GoldenResult(len(cases), passed, max(differences))


def read_golden(folder: Path) -> tuple[GoldenCase, ...]:
    """The golden cases of a bundle's folder; none where it has no golden.json."""
    path = folder / GOLDEN_NAME
    if not path.is_file():
        return ()
    try:
        return TypeAdapter(tuple[GoldenCase, ...]).validate_json(path.read_bytes())
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        raise Misconfigured(f"{path}: {place}: {first['msg']}") from error


def _ask(case: GoldenCase, bundle: Bundle, engine: Engine) -> tuple[float, bool]:
    """The probability that the case is about, and whether zone or kind is the expected one."""
    display = case.show()
    if bundle.manifest.is_guard:
        picture = engine.picture(bundle.id.name, display)
        return picture.probabilities.get(case.expected_kind or "", 0.0), picture.kind == case.expected_kind
    finding = engine.read(bundle.id.name, display).findings[0].finding
    return finding.probability, case.expected_zone in (None, finding.zone)


def _draw_stripes(seed: int) -> NDArray[np.float32]:
    """Waves across a square, 0..1; the seed counts them."""
    phase = np.linspace(0.0, 2.0 * np.pi * (seed + 1), _STRIPES_SIDE, dtype=np.float32)
    return np.tile(0.5 + 0.5 * np.sin(phase), (_STRIPES_SIDE, 1)).astype(np.float32)
