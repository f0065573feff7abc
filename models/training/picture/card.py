"""Write the guard's MODEL_CARD.md from its figures: `python -m training.picture.card --bundle F`."""

from __future__ import annotations

import argparse
import json
import tomllib
from pathlib import Path

import jinja2

from training.manifest import MANIFEST_NAME, seal
from training.picture.settings import load

Figures = dict[str, object]


def share(figure: Figures) -> str:
    """How many were turned away: percent with interval, and counts."""
    low, high = figure["interval"]  # type: ignore[misc]  # as `check` writes it
    rate = f"{100 * figure['rate']:.1f} % [{100 * low:.1f}, {100 * high:.1f}]"  # type: ignore[operator]
    return f"{rate} ({figure['turned_away']} of {figure['shown']})"


def reasons(figure: Figures) -> str:
    """The coded reasons and how often each was given."""
    counts: dict[str, int] = figure["reasons"]  # type: ignore[assignment]  # as `check` writes it
    return ", ".join(f"{code.removeprefix('picture_')} {count}" for code, count in counts.items()) or "-"


def write_card(bundle: Path) -> None:
    """Fill the template with what was measured, and seal the bundle again."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parents[1] / "cards"),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,  # Markdown, from our own figures
    )
    environment.filters.update(share=share, reasons=reasons)
    text = environment.get_template("picture.md.j2").render(
        model=tomllib.loads((bundle / MANIFEST_NAME).read_text(encoding="utf-8")),
        training=json.loads((bundle / "training.json").read_text(encoding="utf-8")),
        evaluation=json.loads((bundle / "evaluation.json").read_text(encoding="utf-8")),
        settings=load()[0],
        size_mib=(bundle / "model.onnx").stat().st_size / 2**20,
    )
    (bundle / "MODEL_CARD.md").write_text(text, encoding="utf-8")
    seal(bundle)


def main() -> None:
    """Write the card of a bundle that is there."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bundle", type=Path, required=True)
    write_card(parser.parse_args().bundle)


if __name__ == "__main__":
    main()
