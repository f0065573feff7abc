"""The evaluated cases as columns, and the bootstrap that draws their groups."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy.stats import DegenerateDataWarning, bootstrap

from wetread.evaluate.cases import Case
from wetread.evaluate.reading import Answer

RESAMPLES = 1000
SEED = 20261121
# Below this number of groups a percentile interval says little.
LEAST_GROUPS = 10
LEVEL_PERCENTILES = (2.5, 97.5)
DIGITS = 4

Numbers: TypeAlias = NDArray[np.float64]
Flags: TypeAlias = NDArray[np.bool_]
# A statistic of a sample whose cases count as often as their weights say.
Statistic: TypeAlias = Callable[[Numbers], float]


@dataclass(frozen=True, slots=True)
class Sample:
    """Labelled, evaluated cases: labels 0 or 1, probabilities 0..1, groups 0..n-1, all (cases,)."""

    cases: tuple[Case, ...]
    labels: NDArray[np.int64]
    probabilities: Numbers
    groups: NDArray[np.int64]

    @property
    def has_both(self) -> bool:
        """Whether there are positives and negatives."""
        return 0 < int(self.labels.sum()) < len(self.labels)

    @property
    def group_count(self) -> int:
        """How many groups there are."""
        return len(np.unique(self.groups))

    def part(self, kept: Flags) -> Sample:
        """Some of the cases."""
        cases = tuple(case for case, is_kept in zip(self.cases, kept, strict=True) if is_kept)
        groups = np.unique(self.groups[kept], return_inverse=True)[1]
        return Sample(cases, self.labels[kept], self.probabilities[kept], groups)

    def replaced(self, probabilities: Numbers) -> Sample:
        """The same cases with another reader's scores."""
        return Sample(self.cases, self.labels, probabilities, self.groups)


class Draws(NamedTuple):
    """A statistic, its 95 % percentile interval (None with too few groups) and its bootstrap values."""

    value: float
    interval: list[float] | None
    values: Numbers


def to_sample(answers: Sequence[Answer]) -> Sample:
    """The labelled cases that got an answer."""
    kept = [answer for answer in answers if answer.is_evaluable and answer.case.label is not None]
    return Sample(
        tuple(answer.case for answer in kept),
        np.array([answer.case.label for answer in kept], dtype=np.int64),
        np.array([answer.probability for answer in kept], dtype=np.float64),
        to_groups([answer.case for answer in kept]),
    )


def to_groups(cases: Sequence[Case]) -> NDArray[np.int64]:
    """Number the groups; a case without one is a group of its own."""
    names = [f"group {case.group}" if case.group else f"case {case.name}" for case in cases]
    numbers: NDArray[np.int64] = np.unique(np.array(names, dtype=str), return_inverse=True)[1]
    return numbers.astype(np.int64)


def draw(statistic: Statistic, groups: NDArray[np.int64]) -> Draws:
    """A statistic of all cases, with its interval: groups, not cases, are drawn with replacement.

    A draw in which the statistic does not exist (NaN) is left out. Source: Field and Welsh, JRSS B 69
    (2007) 369, on the cluster bootstrap.
    """
    value = statistic(np.ones(len(groups)))
    count = int(groups.max(initial=-1)) + 1
    if count < LEAST_GROUPS:
        return Draws(value, None, np.zeros(0))

    def of_drawn(drawn: NDArray[np.int64]) -> float:
        return statistic(np.bincount(drawn, minlength=count).astype(np.float64)[groups])

    with warnings.catch_warnings():
        # Of draws that are NaN, which are left out below.
        warnings.simplefilter("ignore", DegenerateDataWarning)
        drawn = bootstrap(
            (np.arange(count),),
            of_drawn,
            n_resamples=RESAMPLES,
            vectorized=False,
            method="percentile",
            rng=np.random.default_rng(SEED),
        )
    values = np.asarray(drawn.bootstrap_distribution, dtype=np.float64)
    values = values[np.isfinite(values)]
    if not len(values):
        return Draws(value, None, values)
    low, high = np.percentile(values, LEVEL_PERCENTILES)
    return Draws(value, [rounded(low), rounded(high)], values)


def rounded(value: float) -> float:
    """As many digits as are written."""
    return round(float(value), DIGITS)


def with_unanswered(answers: Sequence[Answer], *, are_wrong: bool) -> Sample:
    """All labelled cases, those without an answer called negative, or each the wrong way."""
    kept = [answer for answer in answers if answer.case.label is not None]
    scores = [
        answer.probability if answer.is_evaluable else float(are_wrong and answer.case.label == 0)
        for answer in kept
    ]
    return Sample(
        tuple(answer.case for answer in kept),
        np.array([answer.case.label for answer in kept], dtype=np.int64),
        np.array(scores, dtype=np.float64),
        to_groups([answer.case for answer in kept]),
    )
