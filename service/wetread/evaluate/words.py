"""Figures as people read them; one figure is a value with an interval, or None."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

_LEAST_P = 0.001


def to_share(figure: Mapping[str, Any] | None) -> str:
    """A proportion in per cent with its interval, for instance `91.2 % [84, 95]`."""
    if figure is None:
        return "-"
    text, edges = f"{100 * figure['value']:.1f} %", figure["interval"]
    return f"{text} [{100 * edges[0]:.0f}, {100 * edges[1]:.0f}]" if edges else text


def to_percent(figure: Mapping[str, Any] | None) -> str:
    """A proportion in whole per cent with its interval, for narrow columns."""
    if figure is None:
        return "-"
    text, edges = f"{100 * figure['value']:.0f} %", figure["interval"]
    return f"{text} [{100 * edges[0]:.0f}, {100 * edges[1]:.0f}]" if edges else text


def to_edges(figure: Mapping[str, Any] | None) -> str:
    """The interval alone, as written beside a large number; '' where there is none."""
    edges = None if figure is None else figure["interval"]
    return f"[{edges[0]:.2f}, {edges[1]:.2f}]" if edges else ""


def to_decimal(figure: Mapping[str, Any] | None) -> str:
    """An AUC or the like with its interval, for instance `0.852 [0.80, 0.89]`."""
    if figure is None:
        return "-"
    text, edges = f"{figure['value']:.3f}", figure["interval"]
    return f"{text} [{edges[0]:.2f}, {edges[1]:.2f}]" if edges else text


def to_p(value: float | None) -> str:
    """A p value; a thousand draws cannot tell less than one in a thousand."""
    if value is None:
        return "-"
    return f"at most {_LEAST_P}" if value <= _LEAST_P else f"{value:.3f}"


def to_words(code: str) -> str:
    """A code or a column's name as people write it."""
    return code.replace("_", " ")


def headline(figures: Mapping[str, Any]) -> Iterator[str]:
    """The result in a few lines."""
    data, model = figures["data"], figures["model"]
    yield f"{model['name']} {model['version']} on {data['name']} {data['split']}".rstrip()
    silent = data["not_evaluable"]
    reasons = ", ".join(f"{reason} {images}" for reason, images in silent["reasons"].items())
    yield f"of {data['images']} images, {silent['images']} not evaluable{f' ({reasons})' if reasons else ''}"
    if data["left_out"]:
        yield f"left out of the list: {len(data['left_out'])}"
    if "all" not in figures:
        zones = ", ".join(f"{zone} {images}" for zone, images in figures["zones"].items())
        yield f"nothing to measure against; answers: {zones or 'none'}"
        return
    everything = figures["all"]
    yield f"AUC {to_decimal(everything['auc'])}; {everything['positives']} of {everything['images']} positive"
    for name, point in everything["operating_points"].items():
        rates = f"sensitivity {to_share(point['sensitivity'])}, specificity {to_share(point['specificity'])}"
        yield f"{name} point: {rates}"
