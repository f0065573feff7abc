"""Two readers on the same cases: the difference of their AUCs, and McNemar's test at both thresholds."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from statsmodels.stats.contingency_tables import mcnemar

from wetread.domain import OperatingPoints
from wetread.evaluate.figures import Figures, area_under_curve, auc_of, curves
from wetread.evaluate.sample import Flags, Numbers, Sample, draw, rounded


@dataclass(frozen=True, slots=True)
class Rival:
    """Another reader's score by name of each case that it answered; `points` None for a score alone."""

    title: str
    scores: dict[str, float]
    points: OperatingPoints | None = None


def compare(sample: Sample, points: OperatingPoints, rival: Rival) -> Figures:
    """The first reader against the rival, on the cases that both answered."""
    common = np.array([case.name in rival.scores for case in sample.cases], dtype=bool)
    own = sample.part(common)
    other = own.replaced(np.array([rival.scores[case.name] for case in own.cases], dtype=np.float64))
    figures: Figures = {
        "with": rival.title,
        "images": len(own.labels),
        "positives": int(own.labels.sum()),
        "not_in_common": int((~common).sum()),
        "auc": area_under_curve(own),
        "other_auc": area_under_curve(other),
        "auc_difference": _difference(own, other),
        "other_curves": curves(other),
    }
    if rival.points is not None and len(own.labels):
        figures["mcnemar"] = {
            name: _at_thresholds(own, other, mine, theirs)
            for name, mine, theirs in (
                ("sensitive", points.sensitive, rival.points.sensitive),
                ("specific", points.specific, rival.points.specific),
            )
        }
    return figures


def _difference(own: Sample, other: Sample) -> Figures | None:
    """Paired: both readers are measured on the same draw of groups. p from the share of draws beyond zero."""
    if not own.has_both:
        return None
    labels = own.labels.astype(np.float64)

    def statistic(weights: Numbers) -> float:
        mine = auc_of(labels, own.probabilities, weights)
        return mine - auc_of(labels, other.probabilities, weights)

    drawn = draw(statistic, own.groups)
    return {"value": rounded(drawn.value), "interval": drawn.interval, "p": _p_of(drawn.values)}


def _p_of(values: Numbers) -> float | None:
    if not len(values):
        return None
    beyond = min(float((values <= 0).mean()), float((values >= 0).mean()))
    # No draw beyond zero does not make the chance zero.
    return rounded(min(1.0, max(2.0 * beyond, 1.0 / len(values))))


def _at_thresholds(own: Sample, other: Sample, mine: float, theirs: float) -> Figures:
    truth = own.labels == 1
    first, second = own.probabilities >= mine, other.probabilities >= theirs
    return {
        "sensitivity": _discordance(first, second, of=truth),
        "specificity": _discordance(~first, ~second, of=~truth),
    }


def _discordance(first: Flags, second: Flags, *, of: Flags) -> Figures | None:
    """Who is right alone how often; exact McNemar test. It takes every case as independent."""
    if not of.any():
        return None
    first, second = first[of], second[of]
    table = [
        [int((first & second).sum()), int((first & ~second).sum())],
        [int((~first & second).sum()), int((~first & ~second).sum())],
    ]
    return {
        "both_right": table[0][0],
        "only_first_right": table[0][1],
        "only_second_right": table[1][0],
        "neither_right": table[1][1],
        "p": rounded(float(mcnemar(table, exact=True).pvalue)),
    }
