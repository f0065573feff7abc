"""Figures with intervals, by scikit-learn, SciPy, statsmodels and torchmetrics."""

from __future__ import annotations

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from scipy.stats import bootstrap
from sklearn.metrics import average_precision_score, roc_auc_score
from statsmodels.stats.proportion import proportion_confint
from torchmetrics.functional.classification import binary_calibration_error

RESAMPLES = 1000
SEED = 20261121
LEAST_GROUPS = 10
Figure = dict[str, float | int | list[float] | None]


def describe(table: pd.DataFrame, *, sensitive: float, specific: float) -> dict[str, object]:
    """All figures of one set or subgroup: columns `label`, `probability`, `group`."""
    labels = table["label"].to_numpy(int)
    facts: dict[str, object] = {"images": len(table), "positives": int(labels.sum())}
    if 0 < labels.sum() < len(labels):
        facts["auc"] = area_under_curve(table)
        facts["average_precision"] = round(float(average_precision_score(labels, table["probability"])), 4)
    facts["sensitive_point"] = at_threshold(table, sensitive)
    facts["specific_point"] = at_threshold(table, specific)
    facts["calibration_error"] = round(calibration_error(table), 4)
    facts["brier"] = round(float(((table["probability"] - labels) ** 2).mean()), 4)
    return facts


def area_under_curve(table: pd.DataFrame) -> Figure:
    """AUC with its 95 % percentile bootstrap interval; groups, not images, are drawn."""
    labels, probabilities = table["label"].to_numpy(int), table["probability"].to_numpy(float)
    rows = list(table.reset_index(drop=True).groupby("group").indices.values())

    def of_groups(drawn: NDArray[np.int64]) -> float:
        kept = np.concatenate([rows[index] for index in drawn])
        if labels[kept].min() == labels[kept].max():
            return float("nan")
        return float(roc_auc_score(labels[kept], probabilities[kept]))

    point = round(float(roc_auc_score(labels, probabilities)), 4)
    if len(rows) < LEAST_GROUPS:
        return {"value": point, "interval": None, "groups": len(rows)}
    drawn = bootstrap(
        (np.arange(len(rows)),),
        of_groups,
        n_resamples=RESAMPLES,
        vectorized=False,
        method="percentile",
        rng=np.random.default_rng(SEED),
    )
    # A draw without both classes has no AUC; SciPy's own interval would be NaN.
    low, high = np.nanpercentile(drawn.bootstrap_distribution, [2.5, 97.5])
    return {"value": point, "interval": [round(float(low), 4), round(float(high), 4)], "groups": len(rows)}


def at_threshold(table: pd.DataFrame, threshold: float) -> dict[str, object]:
    """Sensitivity, specificity and predictive values at one threshold, Wilson 95 % intervals."""
    called, truth = table["probability"] >= threshold, table["label"] == 1
    return {
        "threshold": threshold,
        "sensitivity": proportion(int((called & truth).sum()), int(truth.sum())),
        "specificity": proportion(int((~called & ~truth).sum()), int((~truth).sum())),
        "positive_predictive_value": proportion(int((called & truth).sum()), int(called.sum())),
        "negative_predictive_value": proportion(int((~called & ~truth).sum()), int((~called).sum())),
    }


def proportion(count: int, total: int) -> Figure | None:
    """A share with its Wilson interval; None of nothing."""
    if total == 0:
        return None
    low, high = proportion_confint(count, total, method="wilson")
    return {
        "value": round(count / total, 4),
        "interval": [round(low, 4), round(high, 4)],
        "count": count,
        "of": total,
    }


def calibration_error(table: pd.DataFrame) -> float:
    """Expected calibration error, ten equal bins (Guo et al. 2017)."""
    probability = torch.tensor(table["probability"].to_numpy(float))
    return float(binary_calibration_error(probability, torch.tensor(table["label"].to_numpy(int)), n_bins=10))
