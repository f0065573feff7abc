"""Figures of one reader on one sample, with intervals: scikit-learn, SciPy, statsmodels."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
from scipy.stats import rankdata
from sklearn.calibration import calibration_curve
from sklearn.metrics import (
    average_precision_score,
    brier_score_loss,
    precision_recall_curve,
    roc_auc_score,
    roc_curve,
)
from statsmodels.stats.proportion import proportion_confint

from wetread.domain import OperatingPoints
from wetread.evaluate.sample import Flags, Numbers, Sample, draw, rounded

CALIBRATION_BINS = 10
_MOST_CURVE_POINTS = 200

Figures: TypeAlias = dict[str, object]


def describe(sample: Sample, points: OperatingPoints, *, prevalence: float | None) -> Figures:
    """Everything that is said of one sample; None where it does not exist."""
    return {
        **count(sample),
        "auc": area_under_curve(sample),
        "average_precision": average_precision(sample),
        "operating_points": {
            "sensitive": at_threshold(sample, points.sensitive, prevalence=prevalence),
            "specific": at_threshold(sample, points.specific, prevalence=prevalence),
        },
        "calibration": calibration(sample),
    }


def count(sample: Sample) -> Figures:
    """How much there is."""
    positives = int(sample.labels.sum())
    return {
        "images": len(sample.labels),
        "positives": positives,
        "prevalence": rounded(positives / len(sample.labels)) if len(sample.labels) else None,
        "groups": sample.group_count,
    }


def auc_of(labels: Numbers, scores: Numbers, weights: Numbers) -> float:
    """Area under the ROC curve of cases that count as often as their whole weights say; NaN of one label.

    By the ranks (Mann and Whitney), ties counting half: the value that scikit-learn gives, in a twentieth of
    the time, which the thousand draws of a bootstrap need.
    """
    times = weights.astype(np.int64)
    drawn = np.repeat(labels, times) == 1
    positives = int(drawn.sum())
    negatives = len(drawn) - positives
    if not positives or not negatives:
        return float("nan")
    ranks = rankdata(np.repeat(scores, times))[drawn].sum()
    return float((ranks - positives * (positives + 1) / 2) / (positives * negatives))


def precision_of(labels: Numbers, scores: Numbers, weights: Numbers) -> float:
    """Average precision of weighted cases, as scikit-learn defines it; fast, as `auc_of` is."""
    order = np.argsort(-scores, kind="stable")
    found = np.cumsum((weights * labels)[order])
    called = np.cumsum(weights[order])
    # Cases of one score pass a threshold together; nothing is called before the first that was drawn.
    last = np.flatnonzero(np.diff(scores[order], append=np.nan) != 0)
    last = last[called[last] > 0]
    if not found[-1]:
        return float("nan")
    return float(np.sum(np.diff(found[last], prepend=0.0) * found[last] / called[last]) / found[-1])


def area_under_curve(sample: Sample) -> Figures | None:
    """AUC with the 95 % percentile interval of the group bootstrap; None without both labels."""
    if not sample.has_both:
        return None
    labels = sample.labels.astype(np.float64)
    drawn = draw(lambda weights: auc_of(labels, sample.probabilities, weights), sample.groups)
    value = roc_auc_score(labels, sample.probabilities)
    return {"value": rounded(value), "interval": drawn.interval, "groups": sample.group_count}


def average_precision(sample: Sample) -> Figures | None:
    """Average precision (area under the precision-recall steps) with its interval."""
    if not sample.has_both:
        return None

    labels = sample.labels.astype(np.float64)
    drawn = draw(lambda weights: precision_of(labels, sample.probabilities, weights), sample.groups)
    value = average_precision_score(sample.labels, sample.probabilities)
    return {"value": rounded(value), "interval": drawn.interval, "groups": sample.group_count}


def at_threshold(sample: Sample, threshold: float, *, prevalence: float | None) -> Figures:
    """Sensitivity, specificity and predictive values at one threshold, Wilson 95 % intervals."""
    called, truth = sample.probabilities >= threshold, sample.labels == 1
    figures: Figures = {
        "threshold": threshold,
        "true_positives": int((called & truth).sum()),
        "false_positives": int((called & ~truth).sum()),
        "true_negatives": int((~called & ~truth).sum()),
        "false_negatives": int((~called & truth).sum()),
        "sensitivity": share(called, of=truth),
        "specificity": share(~called, of=~truth),
        "positive_predictive_value": share(truth, of=called),
        "negative_predictive_value": share(~truth, of=~called),
    }
    if prevalence is not None and sample.has_both:
        figures["at_prevalence"] = at_prevalence(sample, called, prevalence)
    return figures


def share(flags: Flags, *, of: Flags) -> Figures | None:
    """How many of some; None of nothing."""
    return proportion(int((flags & of).sum()), int(of.sum()))


def proportion(counted: int, total: int) -> Figures | None:
    """A share with its Wilson 95 % interval; None of nothing."""
    if total == 0:
        return None
    low, high = proportion_confint(counted, total, method="wilson")
    interval = [rounded(max(0.0, low)), rounded(min(1.0, high))]
    return {"value": rounded(counted / total), "interval": interval, "count": counted, "of": total}


def at_prevalence(sample: Sample, called: Flags, prevalence: float) -> Figures:
    """Predictive values where so many are ill, by Bayes' rule; intervals by the group bootstrap."""
    truth = sample.labels == 1

    def rate(flags: Flags, of: Flags, weights: Numbers) -> float:
        total = weights[of].sum()
        return float(weights[flags & of].sum() / total) if total else float("nan")

    def positive(weights: Numbers) -> float:
        right = prevalence * rate(called, truth, weights)
        wrong = (1 - prevalence) * rate(called, ~truth, weights)
        return right / (right + wrong) if right + wrong else float("nan")

    def negative(weights: Numbers) -> float:
        right = (1 - prevalence) * rate(~called, ~truth, weights)
        wrong = prevalence * rate(~called, truth, weights)
        return right / (right + wrong) if right + wrong else float("nan")

    values: Figures = {"prevalence": prevalence}
    for name, statistic in (
        ("positive_predictive_value", positive),
        ("negative_predictive_value", negative),
    ):
        drawn = draw(statistic, sample.groups)
        exists = np.isfinite(drawn.value)
        values[name] = {"value": rounded(drawn.value), "interval": drawn.interval} if exists else None
    return values


def calibration(sample: Sample) -> Figures:
    """Expected calibration error over ten equal-width bins, Brier score, and the bins that hold cases.

    Source: Guo et al., ICML 2017 (expected calibration error).
    """
    if not len(sample.labels):
        return {"expected_calibration_error": None, "brier": None, "bins": []}
    observed, predicted = calibration_curve(
        sample.labels, sample.probabilities, n_bins=CALIBRATION_BINS, pos_label=1
    )
    # As calibration_curve bins them: it does not tell how many fall into each.
    edges = np.linspace(0.0, 1.0, CALIBRATION_BINS + 1)
    counts = np.bincount(np.searchsorted(edges[1:-1], sample.probabilities), minlength=CALIBRATION_BINS)
    counts = counts[counts > 0]
    error = float(np.average(np.abs(observed - predicted), weights=counts))
    bins = [
        {"predicted": rounded(p), "observed": proportion(round(o * n), int(n)), "images": int(n)}
        for p, o, n in zip(predicted, observed, counts, strict=True)
    ]
    brier = brier_score_loss(sample.labels, sample.probabilities, pos_label=1)
    return {"expected_calibration_error": rounded(error), "brier": rounded(brier), "bins": bins}


def curves(sample: Sample) -> Figures | None:
    """ROC as [1 - specificity, sensitivity], precision-recall as [recall, precision], thinned."""
    if not sample.has_both:
        return None
    false_positive, true_positive, _ = roc_curve(sample.labels, sample.probabilities)
    precision, recall, _ = precision_recall_curve(sample.labels, sample.probabilities)
    return {
        "roc": _thinned(false_positive, true_positive),
        "precision_recall": _thinned(recall[::-1], precision[::-1]),
    }


def _thinned(x: Numbers, y: Numbers) -> list[list[float]]:
    places = np.unique(np.linspace(0, len(x) - 1, _MOST_CURVE_POINTS).round().astype(int))
    return [[rounded(x[place]), rounded(y[place])] for place in places]
