"""`report.html`: one file that a reviewer reads from top to bottom, without any request to anywhere."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from wetread.evaluate.cases import CaseSet
from wetread.evaluate.failures import show, worst_alarms, worst_misses
from wetread.evaluate.figures import Figures
from wetread.evaluate.plots import plot_all
from wetread.evaluate.reading import Answer
from wetread.evaluate.words import to_decimal, to_edges, to_p, to_percent, to_share, to_words

# AUCs from here to 1 fill the bar of a subgroup.
_LEAST_AUC = 0.4
_MOST_LISTED = 500


def render(figures: Figures, cases: CaseSet, answers: Sequence[Answer]) -> str:
    """The page; it holds pictures of the worst answers."""
    environment = Environment(
        loader=PackageLoader("wetread.evaluate"),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        autoescape=True,
    )
    environment.filters.update(
        share=to_share,
        decimal=to_decimal,
        p=to_p,
        place=to_place,
        words=to_words,
        edges=to_edges,
        percent=to_percent,
    )
    is_measured = "all" in figures
    misses = [show(answer) for answer in worst_misses(answers)] if is_measured else []
    alarms = [show(answer) for answer in worst_alarms(answers)] if is_measured else []
    return environment.get_template("report.html").render(
        figures=figures,
        plots=plot_all(figures, is_inline=True) if is_measured else {},
        misses=misses,
        alarms=alarms,
        exclusions=cases.exclusions,
        answers=() if cases.is_labelled else answers[:_MOST_LISTED],
        unlisted=0 if cases.is_labelled else max(0, len(answers) - _MOST_LISTED),
        silent=[answer for answer in answers if not answer.is_evaluable][:_MOST_LISTED],
        subgroups=_by_column(figures),
    )


def _by_column(figures: Any) -> dict[str, list[Any]]:
    found: dict[str, list[Any]] = {}
    for part in figures.get("subgroups", ()):
        found.setdefault(part["column"], []).append(part)
    return found


def to_place(value: float) -> float:
    """Where an AUC lies on a bar, in per cent of its length."""
    return round(100 * min(1.0, max(0.0, (value - _LEAST_AUC) / (1 - _LEAST_AUC))), 1)
