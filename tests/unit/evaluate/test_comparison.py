from __future__ import annotations

import pytest
from statsmodels.stats.contingency_tables import mcnemar

from tests.unit.evaluate.readers import POINTS, perfect, random
from wetread.evaluate.comparison import Rival, compare
from wetread.evaluate.sample import to_sample


def test_a_perfect_reader_beats_a_random_one() -> None:
    guesses = {item.case.name: item.probability for item in random(200)}

    figures = compare(to_sample(perfect(200)), POINTS, Rival("guess", guesses, POINTS))

    assert figures["auc_difference"]["value"] == pytest.approx(0.5, abs=0.1)  # type: ignore[index]  # JSON
    assert figures["auc_difference"]["p"] <= 0.001  # type: ignore[index,operator]  # JSON
    assert figures["mcnemar"]["sensitive"]["sensitivity"]["only_second_right"] == 0  # type: ignore[index]  # JSON


def test_a_reader_does_not_differ_from_itself() -> None:
    answers = random()
    same = {item.case.name: item.probability for item in answers}

    figures = compare(to_sample(answers), POINTS, Rival("itself", same, POINTS))

    assert figures["auc_difference"] == {"value": 0.0, "interval": [0.0, 0.0], "p": 1.0}
    assert figures["mcnemar"]["specific"]["specificity"]["p"] == 1.0  # type: ignore[index]  # JSON


def test_mcnemar_takes_the_cases_on_which_one_alone_is_right() -> None:
    answers = perfect(40)
    # Wrong on six of the twenty positives.
    scores = {item.case.name: item.probability for item in answers}
    scores |= {item.case.name: 0.1 for item in answers[1:12:2]}

    part = compare(to_sample(answers), POINTS, Rival("other", scores, POINTS))["mcnemar"]["sensitive"]  # type: ignore[index]  # JSON

    assert part["sensitivity"] == {
        "both_right": 14,
        "only_first_right": 6,
        "only_second_right": 0,
        "neither_right": 0,
        "p": round(float(mcnemar([[14, 6], [0, 0]], exact=True).pvalue), 4),
    }


def test_only_cases_that_both_answered_are_compared_and_scores_alone_have_no_thresholds() -> None:
    answers = perfect(40)
    scores = {item.case.name: item.probability for item in answers[:30]}

    figures = compare(to_sample(answers), POINTS, Rival("column", scores))

    assert (figures["images"], figures["not_in_common"]) == (30, 10)
    assert "mcnemar" not in figures
