from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import average_precision_score, roc_auc_score

from tests.unit.evaluate.readers import POINTS, answer, perfect, random
from wetread.evaluate.figures import (
    area_under_curve,
    at_threshold,
    auc_of,
    calibration,
    curves,
    describe,
    precision_of,
    proportion,
)
from wetread.evaluate.sample import draw, to_sample, with_unanswered


def test_a_perfect_reader_has_an_auc_of_one_and_no_error_at_either_point() -> None:
    figures = describe(to_sample(perfect()), POINTS, prevalence=0.1)

    assert figures["auc"] == {"value": 1.0, "interval": [1.0, 1.0], "groups": 40}
    for point in figures["operating_points"].values():  # type: ignore[attr-defined]  # JSON
        assert (point["sensitivity"]["value"], point["specificity"]["value"]) == (1.0, 1.0)
        assert point["at_prevalence"]["positive_predictive_value"]["value"] == 1.0


def test_a_random_reader_has_a_half_within_its_interval() -> None:
    figure = area_under_curve(to_sample(random()))

    assert figure is not None
    low, high = figure["interval"]  # type: ignore[misc]  # JSON
    assert low < 0.5 < high
    assert high - low < 0.15


def test_auc_and_precision_of_a_draw_are_those_of_scikit_learn_ties_and_weights_included() -> None:
    rng = np.random.default_rng(3)
    labels = (rng.random(80) < 0.3).astype(float)
    scores, weights = rng.integers(0, 9, 80) / 9, rng.integers(0, 4, 80).astype(float)

    area, precision = auc_of(labels, scores, weights), precision_of(labels, scores, weights)

    assert area == pytest.approx(roc_auc_score(labels, scores, sample_weight=weights), abs=1e-12)
    expected = average_precision_score(labels, scores, sample_weight=weights)
    assert precision == pytest.approx(expected, abs=1e-12)


def test_cases_of_one_label_have_no_auc_and_no_curve() -> None:
    sample = to_sample([answer(number, 1, 0.9) for number in range(12)])

    figures = describe(sample, POINTS, prevalence=0.1)

    assert figures["auc"] is None
    assert figures["average_precision"] is None
    assert curves(sample) is None
    assert at_threshold(sample, 0.5, prevalence=0.1)["specificity"] is None


def test_a_wilson_interval_is_that_of_the_textbook() -> None:
    # Wilson 1927 for 8 of 10: 49.0 to 94.3 %.
    figure = proportion(8, 10)

    assert figure == {"value": 0.8, "interval": [0.4902, 0.9433], "count": 8, "of": 10}
    assert proportion(0, 0) is None


def test_predictive_values_follow_the_prevalence_by_bayes() -> None:
    # Sensitivity 80 %, specificity 90 %.
    answers = [answer(n, 1, 0.9 if n < 8 else 0.1) for n in range(10)]
    answers += [answer(10 + n, 0, 0.9 if n < 1 else 0.1) for n in range(10)]

    point = at_threshold(to_sample(answers), 0.5, prevalence=0.1)["at_prevalence"]

    assert point["positive_predictive_value"]["value"] == pytest.approx(0.08 / 0.17, abs=1e-4)  # type: ignore[index]  # JSON
    assert point["negative_predictive_value"]["value"] == pytest.approx(0.81 / 0.83, abs=1e-4)  # type: ignore[index]  # JSON


def test_calibration_error_is_the_mean_gap_of_the_bins() -> None:
    # Ten say 0.25 and 4 are positive; thirty say 0.85 and 24 are.
    answers = [answer(n, int(n < 4), 0.25) for n in range(10)]
    answers += [answer(10 + n, int(n < 24), 0.85) for n in range(30)]

    figures = calibration(to_sample(answers))

    assert figures["expected_calibration_error"] == pytest.approx((10 * 0.15 + 30 * 0.05) / 40, abs=1e-4)
    assert [row["images"] for row in figures["bins"]] == [10, 30]  # type: ignore[attr-defined]  # JSON


def test_intervals_are_wider_when_cases_come_in_groups() -> None:
    # Ten patients with forty images each that all say the same.
    alone = random(400)
    chances = np.random.default_rng(5).random(10)
    grouped = [answer(n, n % 2, float(chances[n % 10]), group=f"patient {n % 10}") for n in range(400)]

    widths = []
    for answers in (alone, grouped):
        interval = area_under_curve(to_sample(answers))["interval"]  # type: ignore[index]  # JSON
        widths.append(interval[1] - interval[0])  # type: ignore[index]  # JSON

    assert widths[1] > 3 * widths[0]


def test_too_few_groups_have_no_interval() -> None:
    sample = to_sample([answer(n, n % 2, n / 100, group=str(n % 4)) for n in range(100)])

    drawn = draw(lambda weights: float(weights.sum()), sample.groups)

    assert drawn.interval is None


def test_the_same_cases_give_the_same_interval_each_time() -> None:
    first = area_under_curve(to_sample(random()))

    assert area_under_curve(to_sample(random())) == first


def test_cases_without_an_answer_count_as_negative_or_as_wrong() -> None:
    answers = [*perfect(), answer(90, 1, 0.0, reason="colour"), answer(91, 0, 0.0, reason="colour")]

    rates = [
        (point["sensitivity"]["value"], point["specificity"]["value"])  # type: ignore[index]  # JSON
        for are_wrong in (False, True)
        if (point := at_threshold(with_unanswered(answers, are_wrong=are_wrong), 0.5, prevalence=None))
    ]

    assert rates[0] == (pytest.approx(20 / 21, abs=1e-4), 1.0)
    assert rates[1] == (pytest.approx(20 / 21, abs=1e-4), pytest.approx(20 / 21, abs=1e-4))
