"""The curves of an evaluation as SVG, from its figures alone: no patient's pixel is in them."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from io import StringIO
from typing import Any, TypeAlias

from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure

# The figures are JSON by nature: read here as they would be from the file.
Facts: TypeAlias = Mapping[str, Any]

_BLUE, _ORANGE, _GREY = "#2f7fd8", "#d9772b", "#8a8f98"
# Stands for the page's own text colour until the SVG is put into the page.
_INK = "#010203"
_SIZE_INCHES = (3.6, 3.2)
_STYLE: Any = {
    "svg.fonttype": "none",
    "font.family": "sans-serif",
    "font.size": 9,
    "axes.edgecolor": _GREY,
    "axes.labelcolor": _INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "xtick.color": _INK,
    "ytick.color": _INK,
    "text.color": _INK,
    "legend.frameon": False,
    "legend.fontsize": 8,
    "axes.grid": True,
    "grid.color": _GREY,
    "grid.alpha": 0.25,
    "lines.linewidth": 1.8,
}


def plot_all(figures: Facts, *, is_inline: bool) -> dict[str, str]:
    """Every plot that the figures allow, by name: `roc`, `precision_recall`, `calibration`, `froc`.

    Inline SVG takes the page's colour and width; otherwise it stands alone on white.
    """
    plots: dict[str, Callable[[Axes], None]] = {}
    if figures.get("curves"):
        plots["roc"] = lambda axes: _roc(axes, figures)
        plots["precision_recall"] = lambda axes: _precision_recall(axes, figures)
        plots["calibration"] = lambda axes: _calibration(axes, figures)
    if figures.get("localisation"):
        plots["froc"] = lambda axes: _froc(axes, figures)
    return {name: _to_svg(name, plot, is_inline=is_inline) for name, plot in plots.items()}


def _to_svg(name: str, plot: Callable[[Axes], None], *, is_inline: bool) -> str:
    # A fixed salt: the same figures give the same bytes, and no two plots of a page share an id.
    with rc_context({**_STYLE, "svg.hashsalt": f"wetread-{name}"}):
        figure = Figure(figsize=_SIZE_INCHES, layout="constrained")
        figure.patch.set_facecolor("white")
        figure.patch.set_alpha(0.0 if is_inline else 1.0)
        axes = figure.add_subplot()
        axes.patch.set_alpha(0.0)
        plot(axes)
        text = StringIO()
        FigureCanvasSVG(figure).print_svg(text, metadata={"Date": None, "Creator": None})  # type: ignore[no-untyped-call]  # Matplotlib's own gap
    svg = text.getvalue()
    if not is_inline:
        return svg.replace(_INK, "#222222")
    svg = svg[svg.index("<svg") :].replace(_INK, "currentColor")
    return re.sub(
        r'<svg [^>]*?(viewBox="[^"]*")[^>]*>',
        r'<svg xmlns:xlink="http://www.w3.org/1999/xlink" \1>',
        svg,
        count=1,
    )


def _roc(axes: Axes, figures: Facts) -> None:
    axes.plot([0, 1], [0, 1], color=_GREY, linewidth=0.8, linestyle=":")
    axes.plot(*_columns(figures["curves"]["roc"]), color=_BLUE, label=_title(figures), drawstyle="steps-post")
    for index, comparison in enumerate(figures.get("comparisons", ())):
        if comparison["other_curves"]:
            style = ("--", "-.", ":")[index % 3]
            points = _columns(comparison["other_curves"]["roc"])
            axes.plot(*points, color=_ORANGE, linestyle=style, linewidth=1.3, label=comparison["with"])
    for name, marker in (("sensitive", "o"), ("specific", "s")):
        point = figures["all"]["operating_points"][name]
        x, y = 1 - point["specificity"]["value"], point["sensitivity"]["value"]
        axes.plot([x], [y], marker, color=_BLUE, markersize=6, markeredgecolor="white", label=f"{name} point")
    axes.set(xlabel="1 - specificity", ylabel="sensitivity", xlim=(-0.02, 1.02), ylim=(-0.02, 1.02))
    axes.legend(loc="lower right")


def _precision_recall(axes: Axes, figures: Facts) -> None:
    prevalence = figures["all"]["prevalence"]
    axes.axhline(prevalence, color=_GREY, linewidth=0.8, linestyle=":", label=f"prevalence {prevalence:.2f}")
    recall, precision = _columns(figures["curves"]["precision_recall"])
    axes.plot(recall, precision, color=_BLUE, label=_title(figures), drawstyle="steps-post")
    axes.set(xlabel="recall (sensitivity)", ylabel="precision (PPV)", xlim=(-0.02, 1.02), ylim=(-0.02, 1.02))
    axes.legend(loc="lower left")


def _calibration(axes: Axes, figures: Facts) -> None:
    bins = figures["all"]["calibration"]["bins"]
    most = max(row["images"] for row in bins)
    axes.plot([0, 1], [0, 1], color=_GREY, linewidth=0.8, linestyle=":")
    for row in bins:
        predicted, observed = row["predicted"], row["observed"]
        low, high = observed["interval"]
        axes.plot([predicted, predicted], [low, high], color=_BLUE, linewidth=1, alpha=0.6)
        axes.bar(predicted, 0.15 * row["images"] / most, width=0.05, color=_GREY, alpha=0.5)
    axes.plot(
        [row["predicted"] for row in bins],
        [row["observed"]["value"] for row in bins],
        "o-",
        color=_BLUE,
        markersize=5,
    )
    axes.set(xlabel="predicted probability", ylabel="observed share of positives", xlim=(-0.02, 1.02))
    axes.set_ylim(-0.02, 1.02)


def _froc(axes: Axes, figures: Facts) -> None:
    froc = figures["localisation"]["froc"]
    false_boxes, found = _columns(froc["curve"])
    axes.plot(false_boxes, found, color=_BLUE, drawstyle="steps-post")
    for rate, point in froc["lesions_found_at_false_boxes_per_image"].items():
        if point["interval"]:
            axes.plot([float(rate)] * 2, point["interval"], color=_BLUE, linewidth=1, alpha=0.6)
        axes.plot([float(rate)], [point["value"]], "o", color=_BLUE, markersize=5)
    axes.set(xlabel="false boxes per image", ylabel="lesions found", ylim=(-0.02, 1.02))
    axes.set_xlim(-0.05, 2.2)


def _columns(points: list[list[float]]) -> tuple[list[float], list[float]]:
    return [point[0] for point in points], [point[1] for point in points]


def _title(figures: Facts) -> str:
    return f"{figures['model']['name']} {figures['model']['version']}"
