"""Write a bundle's golden cases: `python -m training.golden SETTINGS.toml --bundle F`.

QC phantoms by seed with the probability this bundle gave when it was made; the service's tests
draw them again and compare.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

from training.manifest import write_json
from training.phantoms import LIMB_VIEWS, draw_case
from training.settings import TrainingSettings, load_settings
from wetread.infer.bundle import Bundle
from wetread.infer.engine import Engine
from wetread.infer.seal import seal

# The seeds the demo draws, then others that no training phase saw.
SEEDS = {"fracture": (1, 2, 12, 20, 21, 34, 47), "chest": (2, 10, 3, 20, 34, 47)}
TOLERANCE = 0.05


def golden_cases(settings: TrainingSettings, bundle: Bundle) -> list[dict[str, object]]:
    """Each seed with and without its lesion."""
    with Engine([bundle], threads=1) as engine:
        return [
            _case(engine, settings, bundle, seed, lesion)
            for seed in SEEDS[settings.task]
            for lesion in (False, True)
        ]


def _case(
    engine: Engine, settings: TrainingSettings, bundle: Bundle, seed: int, lesion: bool
) -> dict[str, object]:
    phantom = draw_case(settings.task, seed, lesion=lesion)
    display = phantom.pixels.astype(np.float32) / np.float32(4095.0)
    finding = engine.read(bundle.manifest.name, display).findings[0].finding
    subject: dict[str, object] = {"phantom": "chest", "seed": seed, "opacity": lesion}
    if settings.task != "chest":
        subject = {"phantom": "limb", "seed": seed, "view": LIMB_VIEWS[seed % 2], "broken": lesion}
    return {
        **subject,
        "expected_probability": round(finding.probability, 4),
        "tolerance": TOLERANCE,
        "expected_zone": finding.zone.value,
        "lesion_boxes": [[round(edge, 1) for edge in box] for box in phantom.boxes],
    }


def write_golden(settings: TrainingSettings, folder: Path) -> None:
    """Write golden.json and seal the bundle again."""
    write_json(folder / "golden.json", golden_cases(settings, seal(folder)))
    seal(folder)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("settings", type=Path)
    parser.add_argument("--bundle", type=Path, required=True)
    given = parser.parse_args()
    write_golden(load_settings(given.settings), given.bundle)


if __name__ == "__main__":
    main()
