"""Calibration and operating points chosen on a fold."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from training.calibrate import LEAST_GAP, choose

Fold = tuple[NDArray[np.float64], NDArray[np.int64]]


@pytest.fixture
def fold() -> Fold:
    """Logits that are twice too sure, of 2,000 images with a third positive."""
    rng = np.random.default_rng(5)
    true_logit = rng.normal(-0.9, 1.5, 2000)
    labels = (rng.random(2000) < 1 / (1 + np.exp(-true_logit))).astype(np.int64)
    return 2.0 * true_logit, labels


def test_logits_that_are_too_sure_are_brought_back(fold: Fold) -> None:
    choice = choose(*fold, sensitivity=0.9, specificity=0.9)

    assert choice.a == pytest.approx(0.5, abs=0.06)
    assert choice.b == pytest.approx(0.0, abs=0.15)


def test_the_points_keep_the_sensitivity_and_specificity_asked_for(fold: Fold) -> None:
    logits, labels = fold

    choice = choose(logits, labels, sensitivity=0.9, specificity=0.92)

    probability = choice.probability(logits)
    assert (probability[labels == 1] >= choice.sensitive).mean() >= 0.9
    assert (probability[labels == 0] < choice.specific).mean() >= 0.92
    assert choice.sensitive < choice.specific


def test_a_model_that_is_always_right_still_leaves_a_zone_of_doubt() -> None:
    labels = (np.arange(40) % 2).astype(np.int64)

    choice = choose(labels * 8.0 - 4.0, labels, sensitivity=0.9, specificity=0.9)

    assert choice.specific - choice.sensitive >= LEAST_GAP - 1e-9


def test_a_rarer_disease_lowers_every_probability_to_its_own_mean(fold: Fold) -> None:
    logits, labels = fold

    common = choose(logits, labels, sensitivity=0.9, specificity=0.9)
    rare = choose(logits, labels, sensitivity=0.9, specificity=0.9, prevalence=0.02)

    weights = np.where(labels == 1, 0.02 / labels.mean(), 0.98 / (1 - labels.mean()))
    assert (rare.probability(logits) < common.probability(logits)).all()
    assert np.average(rare.probability(logits), weights=weights) == pytest.approx(0.02, abs=0.002)


def test_the_points_of_a_model_that_is_never_wrong_are_no_extremes() -> None:
    labels = np.repeat([0, 1], 50)
    logits = np.where(labels == 1, 9.0, -9.0) + np.linspace(-0.5, 0.5, 100)

    choice = choose(logits, labels, sensitivity=0.9, specificity=0.9, prevalence=0.05)

    assert 0 < choice.sensitive < choice.specific < 1
