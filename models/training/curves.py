"""A run's learning curve: `python -m training.curves training.json` writes learning_curve.svg beside it.

Drawn from the record alone: no image, no name, nothing of a patient. The same record gives the same file.
"""

from __future__ import annotations

import argparse
import json
import math
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

CURVE_NAME = "learning_curve.svg"
Row = Mapping[str, float | str]
_PLACE = ("phase", "step")
_INK, _GREY, _BAND = "#22303c", "#6b7782", "#eef2f5"
_COLOURS = ("#1b6ca8", "#c4561e", "#2f8f5b", "#7a4fa3", "#a8871b")


class Span(NamedTuple):
    """One phase on the axis of all steps of the run."""

    name: str
    first: float
    last: float


class Line(NamedTuple):
    """One figure over the run; `steps` counts from the run's beginning."""

    name: str
    steps: list[float]
    values: list[float]


def spans_of(curve: Iterable[Row]) -> list[Span]:
    """The phases end to end; a phase is as long as the last step told of it."""
    lengths: dict[str, float] = {}
    for row in curve:
        name = str(row["phase"])
        lengths[name] = max(lengths.get(name, 0.0), float(row["step"]))
    spans, first = [], 0.0
    for name, length in lengths.items():
        spans.append(Span(name, first, first + length))
        first += length
    return spans


def lines_of(curve: Sequence[Row]) -> list[Line]:
    """Every figure that rows tell, in the order of its first mention."""
    starts = {span.name: span.first for span in spans_of(curve)}
    lines: dict[str, Line] = {}
    for row in curve:
        for name, value in row.items():
            if name in _PLACE or isinstance(value, str):
                continue
            line = lines.setdefault(name, Line(name, [], []))
            line.steps.append(starts[str(row["phase"])] + float(row["step"]))
            line.values.append(float(value))
    return list(lines.values())


def _broken_at(line: Line, spans: list[Span]) -> Line:
    """With a gap between phases: each has its own windows and shares, so their losses do not compare."""
    steps: list[float] = []
    values: list[float] = []
    for span in spans:
        inside = [i for i, step in enumerate(line.steps) if span.first < step <= span.last]
        steps += [line.steps[i] for i in inside] + [span.last]
        values += [line.values[i] for i in inside] + [math.nan]
    return Line(line.name, steps, values)


def draw_curve(curve: Sequence[Row], title: str) -> Figure:
    """Losses above, figures on the held-out fold below, one band per phase."""
    spans, lines = spans_of(curve), lines_of(curve)
    losses = [_broken_at(line, spans) for line in lines if "loss" in line.name]
    figures = [line for line in lines if "loss" not in line.name]
    panels = 2 if figures else 1
    figure = Figure(figsize=(8.0, 1.4 + 2.3 * panels), layout="constrained")
    axes = figure.subplots(panels, 1, sharex=True, squeeze=False)[:, 0]
    figure.suptitle(title, x=0.01, ha="left", color=_INK, fontsize=12, fontweight="bold")
    for axis in axes:
        _prepare(axis, spans)
    _number_phases(axes[0], spans)
    _draw(axes[0], losses, "training loss", has_markers=False)
    if figures:
        _draw(axes[1], figures, "held-out fold", has_markers=True)
        axes[1].set_ylim(0.0, 1.0)
    axes[-1].set_xlabel("steps", color=_INK)
    figure.align_ylabels(axes)
    names = "  \u00b7  ".join(f"{number} {span.name}" for number, span in enumerate(spans, 1))
    figure.supxlabel(names, x=0.01, ha="left", color=_GREY, fontsize=8, wrap=True)
    return figure


def _prepare(axis: Axes, spans: list[Span]) -> None:
    for number, span in enumerate(spans):
        if number % 2 == 0:
            axis.axvspan(span.first, span.last, color=_BAND, linewidth=0)
    axis.set_xlim(0.0, spans[-1].last if spans and spans[-1].last else 1.0)
    axis.tick_params(colors=_GREY)
    axis.spines[["top", "right"]].set_visible(False)
    axis.spines[["left", "bottom"]].set_color(_GREY)


def _number_phases(axis: Axes, spans: list[Span]) -> None:
    for number, span in enumerate(spans, 1):
        axis.text(
            (span.first + span.last) / 2,
            1.02,
            str(number),
            transform=axis.get_xaxis_transform(),
            ha="center",
            va="bottom",
            color=_GREY,
            fontsize=8,
        )


def _draw(axis: Axes, lines: list[Line], label: str, *, has_markers: bool) -> None:
    for line, colour in zip(lines, _COLOURS * (1 + len(lines) // len(_COLOURS)), strict=False):
        axis.plot(
            line.steps,
            line.values,
            color=colour,
            linewidth=1.4,
            marker="o",
            markersize=4 if has_markers else 1.5,
            label=f"{_words(line.name)} {next(v for v in reversed(line.values) if not math.isnan(v)):.3f}",
            clip_on=not has_markers,
        )
    axis.set_ylabel(label, color=_INK)
    if lines:
        axis.legend(loc="best", frameon=False, fontsize=8, labelcolor=_INK)


def _words(name: str) -> str:
    return "AUC" if name == "auc" else name.replace("_", " ")


def write_curve(record: Path, target: Path) -> None:
    """Draw the curve of a run record (`record.json`, `training.json`) as SVG."""
    facts = json.loads(record.read_text(encoding="utf-8"))
    name = str(facts.get("settings", {}).get("name", record.parent.name))
    # Text stays text, and neither the hour nor a random id gets into the file: bundles are signed by digest.
    with mpl.rc_context({"svg.fonttype": "none", "svg.hashsalt": "wetread", "font.size": 9.0}):
        figure = draw_curve(facts["curve"], f"Training of {name}")
        figure.savefig(target, format="svg", metadata={"Date": None})


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("record", type=Path, help="training.json of a bundle or record.json of a run")
    given = parser.parse_args()
    write_curve(given.record, given.record.with_name(CURVE_NAME))


if __name__ == "__main__":
    main()
