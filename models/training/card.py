"""Write a bundle's MODEL_CARD.md from the files in it: `python -m training.card --bundle F [--key K]`.

Every number on the card comes from a file that a command wrote: evaluation/*.json, phantoms.json,
baselines.json, speed.json, calibration.json, training.json, model.toml; the aims are those of the settings
file. The words are in `cards/`.
"""

from __future__ import annotations

import argparse
import json
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jinja2

from wetread.evaluate.words import to_decimal, to_p, to_share, to_words
from wetread.infer.bundle import CARD_NAME, MANIFEST_NAME, MODEL_NAME
from wetread.infer.seal import seal, sign
from wetread.infer.signature import read_key

BYTES_PER_MIB = 2**20
# What one busy core of a server processor draws, its share of the machine around it included. Assumed.
ASSUMED_WATTS = 15.0
_S_PER_H = 3600.0


def count(figure: Mapping[str, Any] | None) -> str:
    """A proportion with interval and counts."""
    return "-" if figure is None else f"{to_share(figure)} ({figure['count']}/{figure['of']})"


def watt_hours(seconds: float, cores: float = 1.0) -> float:
    """Energy of so many busy cores, at the assumed power."""
    return seconds * cores * ASSUMED_WATTS / _S_PER_H


def value_of(figures: Mapping[str, Any], column: str, value: str) -> Mapping[str, Any] | None:
    """One subgroup's figures; None where it was too small to be told."""
    parts = figures["subgroups"]
    return next((part for part in parts if part["column"] == column and part["value"] == value), None)


def write_card(bundle: Path) -> None:
    """Fill the model's template with what was measured, and seal the bundle again."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent / "cards"),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,  # Markdown, from our own figures
    )
    environment.filters.update(
        share=to_share, decimal=to_decimal, p=to_p, words=to_words, count=count, watt_hours=watt_hours
    )
    environment.globals.update(subgroup=value_of, assumed_watts=ASSUMED_WATTS)
    model = tomllib.loads((bundle / MANIFEST_NAME).read_text(encoding="utf-8"))
    text = environment.get_template(f"{model['name']}.md.j2").render(
        model=model,
        finding=model["findings"][0],
        aims=_settings(model["name"])["bundle"],
        training=_read(bundle / "training.json"),
        calibration=_read(bundle / "calibration.json"),
        internal=_read(bundle / "evaluation" / "internal_test.json"),
        external=_read(bundle / "evaluation" / "external_test.json"),
        phantoms=_read(bundle / "phantoms.json"),
        baselines=_read(bundle / "baselines.json"),
        speed=_read(bundle / "speed.json", is_needed=False),
        plots=sorted(path.name for path in (bundle / "figures").glob("*.svg")),
        has_curve=(bundle / "learning_curve.svg").is_file(),
        size_mib=(bundle / MODEL_NAME).stat().st_size / BYTES_PER_MIB,
    )
    (bundle / CARD_NAME).write_text(text, encoding="utf-8")
    seal(bundle)


def _settings(name: str) -> Any:
    return tomllib.loads((Path(__file__).parent / f"{name}.toml").read_text(encoding="utf-8"))


def _read(path: Path, *, is_needed: bool = True) -> Any:
    if not is_needed and not path.is_file():
        return None
    return json.loads(path.read_text(encoding="utf-8"))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bundle", type=Path, required=True)
    parser.add_argument("--key", type=Path, help="private key to sign with")
    given = parser.parse_args()
    write_card(given.bundle.resolve())
    if given.key is not None:
        sign(given.bundle.resolve(), read_key(given.key))


if __name__ == "__main__":
    main()
