"""Write a bundle's MODEL_CARD.md from its figures: `python -m training.card SETTINGS.toml --bundle F`."""

from __future__ import annotations

import argparse
import json
import tomllib
from pathlib import Path

import jinja2

from training.figures import Figure
from training.manifest import MANIFEST_NAME, seal
from training.settings import TrainingSettings, load_settings

BYTES_PER_MIB = 2**20


def share(figure: Figure | None) -> str:
    """A proportion with its interval and counts, in per cent."""
    if figure is None:
        return "-"
    return f"{figure['value']:.1%} {_interval(figure, '.1%')} ({figure['count']}/{figure['of']})"


def area(figure: Figure | None) -> str:
    """An AUC with its interval."""
    if figure is None:
        return "-"
    return f"{figure['value']:.3f} {_interval(figure, '.3f')}"


def _interval(figure: Figure, form: str) -> str:
    edges = figure["interval"]
    if not isinstance(edges, list):
        return "(too few groups for an interval)"
    return f"[{edges[0]:{form}}, {edges[1]:{form}}]"


def write_card(settings: TrainingSettings, bundle: Path) -> None:
    """Fill the model's template with what was measured, and seal the bundle again."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent / "cards"),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,  # Markdown, from our own figures
    )
    environment.filters.update(share=share, area=area)
    text = environment.get_template(f"{settings.name}.md.j2").render(
        model=tomllib.loads((bundle / MANIFEST_NAME).read_text(encoding="utf-8")),
        training=_read(bundle / "training.json"),
        calibration=_read(bundle / "calibration.json"),
        evaluation=_read(bundle / "evaluation.json"),
        settings=settings,
        size_mib=(bundle / "model.onnx").stat().st_size / BYTES_PER_MIB,
    )
    (bundle / "MODEL_CARD.md").write_text(text, encoding="utf-8")
    seal(bundle)


def _read(path: Path) -> object:
    return json.loads(path.read_text(encoding="utf-8"))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("settings", type=Path)
    parser.add_argument("--bundle", type=Path, required=True)
    given = parser.parse_args()
    write_card(load_settings(given.settings), given.bundle)


if __name__ == "__main__":
    main()
