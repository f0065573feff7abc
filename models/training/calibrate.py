"""Calibration and thresholds, chosen on the held-out fold of the training data and nowhere else."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_curve

Logits = NDArray[np.float64]
Labels = NDArray[np.int64]
LEAST_GAP = 0.02
LEAST_THRESHOLD = 0.001


@dataclass(frozen=True, slots=True)
class Choice:
    """Platt's a and b, and the two operating points on the calibrated probability."""

    a: float
    b: float
    sensitive: float
    specific: float

    def probability(self, logits: Logits) -> NDArray[np.float64]:
        """Calibrated probability, 0..1, of the network's logits."""
        return np.asarray(expit(self.a * logits + self.b))


def choose(
    logits: Logits,
    labels: Labels,
    *,
    sensitivity: float,
    specificity: float,
    prevalence: float | None = None,
) -> Choice:
    """Fit Platt; the highest threshold that keeps `sensitivity`, the lowest that gives `specificity`.

    With `prevalence`, positives and negatives are weighted so that the fold stands for a population
    with that share of positives: data sets made for training hold more of them than life does.
    """
    share = labels.mean() if prevalence is None else prevalence
    weights = np.where(labels == 1, share / labels.mean(), (1 - share) / (1 - labels.mean()))
    platt = LogisticRegression(C=1e4).fit(logits[:, None], labels, sample_weight=weights)
    a, b = float(platt.coef_[0, 0]), float(platt.intercept_[0])
    probability = expit(a * logits + b)
    false_positive, true_positive, thresholds = roc_curve(labels, probability, drop_intermediate=False)
    sensitive = float(thresholds[np.argmax(true_positive >= sensitivity)])
    specific = float(thresholds[np.flatnonzero(false_positive <= 1 - specificity)[-1]])
    # A clear model may reach both at one threshold; the zone between must not be empty or inverted, nor
    # a threshold so low that everything is above it.
    specific = max(specific, LEAST_THRESHOLD + LEAST_GAP)
    sensitive = max(LEAST_THRESHOLD, min(sensitive, specific - LEAST_GAP))
    return Choice(a, b, round(sensitive, 4), round(specific, 4))
