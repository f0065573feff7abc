"""Golden cases of the guard: phantoms as they are, turned and inverted, and what shows no one at all."""

from __future__ import annotations

from pathlib import Path

from training.manifest import write_json
from training.picture.films import CHEST, INVERTED, LIMB, OTHER, TURNED
from wetread.infer.engine import Engine
from wetread.infer.seal import seal
from wetread.pipeline.golden import GoldenCase

# The seeds the demo draws, then others that were not learnt from.
_CHESTS, _LIMBS = (2, 10, 3, 20, 34), (1, 2, 12, 20, 21, 34)
_TOLERANCE = 0.05


def _subjects() -> list[tuple[dict[str, object], str]]:
    """How each case is drawn, and the kind it must be taken for."""
    chests: list[dict[str, object]] = [
        {"phantom": "chest", "seed": seed, "opacity": seed % 2 == 0} for seed in _CHESTS
    ]
    limbs: list[dict[str, object]] = [
        {"phantom": "limb", "seed": seed, "broken": seed % 2 == 1, "view": ("AP", "LATERAL")[seed % 2]}
        for seed in _LIMBS
    ]
    return [
        *((case, CHEST) for case in chests),
        *((case, LIMB) for case in limbs),
        *((case | {"quarter_turns": turns}, TURNED) for turns, case in enumerate(chests[:3], start=1)),
        *((case | {"quarter_turns": turns}, LIMB) for turns, case in enumerate(limbs[:3], start=1)),
        *((case | {"inverted": True}, INVERTED) for case in (*chests[:2], *limbs[:2])),
        *(({"phantom": "stripes", "seed": seed}, OTHER) for seed in (1, 4, 12)),
    ]


def write_golden(folder: Path) -> None:
    """Write golden.json with what the bundle says now, and seal it again."""
    bundle = seal(folder)
    cases = []
    with Engine([bundle], threads=1) as engine:
        for subject, kind in _subjects():
            drawn = GoldenCase.model_validate(
                subject | {"expected_probability": 0, "tolerance": 0, "expected_kind": kind}
            )
            picture = engine.picture(bundle.id.name, drawn.show())
            share = round(picture.probabilities[kind], 4)
            expected = {"expected_probability": share, "tolerance": _TOLERANCE, "expected_kind": kind}
            cases.append(subject | expected)
    write_json(folder / "golden.json", cases)
    seal(folder)
