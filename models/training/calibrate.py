"""Calibration and thresholds, chosen on the held-out fold of the training data and nowhere else."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_curve

Logits = NDArray[np.float64]
Labels = NDArray[np.int64]
LEAST_GAP = 0.02


@dataclass(frozen=True, slots=True)
class Choice:
    """Platt's a and b, and the two operating points on the calibrated probability."""

    a: float
    b: float
    sensitive: float
    specific: float


def choose(logits: Logits, labels: Labels, *, sensitivity: float, specificity: float) -> Choice:
    """Fit Platt; the highest threshold that keeps `sensitivity`, the lowest that gives `specificity`."""
    platt = LogisticRegression(C=1e4).fit(logits[:, None], labels)
    a, b = float(platt.coef_[0, 0]), float(platt.intercept_[0])
    probability = platt.predict_proba(logits[:, None])[:, 1]
    false_positive, true_positive, thresholds = roc_curve(labels, probability, drop_intermediate=False)
    sensitive = float(thresholds[np.argmax(true_positive >= sensitivity)])
    specific = float(thresholds[np.flatnonzero(false_positive <= 1 - specificity)[-1]])
    # A clear model may reach both at one threshold; the zone between must not be empty or inverted.
    return Choice(a, b, round(min(sensitive, specific - LEAST_GAP), 4), round(specific, 4))
