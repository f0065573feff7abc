"""AUC with intervals from a bootstrap that draws groups, not images."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.stats import bootstrap
from sklearn.metrics import roc_auc_score

RESAMPLES = 1000
SEED = 20261121
Values = NDArray[np.float64]
Interval = list[float]


def auc_of(labels: NDArray[np.int64], scores: Values) -> float:
    """Area under the ROC curve; NaN without both labels."""
    return float("nan") if labels.min() == labels.max() else float(roc_auc_score(labels, scores))


def auc_interval(labels: NDArray[np.int64], scores: Values, groups: Sequence[str]) -> Interval:
    """95 % interval of the AUC."""
    return _interval(groups, lambda kept: auc_of(labels[kept], scores[kept]))


def difference_interval(
    labels: NDArray[np.int64], scores: Values, others: Values, groups: Sequence[str]
) -> Interval:
    """95 % interval of the AUC of `scores` less that of `others`, for the same images in the same order."""
    return _interval(
        groups, lambda kept: auc_of(labels[kept], scores[kept]) - auc_of(labels[kept], others[kept])
    )


def _interval(groups: Sequence[str], statistic: Callable[[NDArray[np.int64]], float]) -> Interval:
    names = np.unique(np.asarray(groups), return_inverse=True)[1]
    members = [np.flatnonzero(names == number) for number in range(names.max() + 1)]
    drawn = bootstrap(
        (np.arange(len(members)),),
        lambda numbers: statistic(np.concatenate([members[number] for number in numbers])),
        n_resamples=RESAMPLES,
        vectorized=False,
        method="percentile",
        rng=np.random.default_rng(SEED),
    )
    # A draw without both labels has no AUC.
    low, high = np.nanpercentile(drawn.bootstrap_distribution, [2.5, 97.5])
    return [round(float(low), 4), round(float(high), 4)]
