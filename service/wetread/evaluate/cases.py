"""The nouns of an evaluation: a case, why one is left out, and a set of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Rectangles: TypeAlias = NDArray[np.float64]

_NOTHING: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Case:
    """One image and what is known of it.

    `name` is the file as listed; `row` its line in the list, the header being line 1. `label` is 1, 0, or
    None where nobody says. `lesions` are (n, 4) left, top, right, bottom in pixels of the stored file, None
    where nobody marked any. `group` is the patient or cluster, '' for the image itself. `facts` are the
    other columns, stripped.
    """

    name: str
    path: Path
    row: int
    label: int | None = None
    lesions: Rectangles | None = None
    group: str = ""
    facts: Mapping[str, str] = field(default_factory=lambda: _NOTHING)


@dataclass(frozen=True, slots=True)
class Exclusion:
    """A listed case that was not read, and why."""

    row: int
    name: str
    reason: str


@dataclass(frozen=True, slots=True)
class CaseSet:
    """What is to be read. `columns` are the names that subgroups and comparisons may use."""

    name: str
    split: str
    cases: tuple[Case, ...]
    exclusions: tuple[Exclusion, ...] = ()
    columns: tuple[str, ...] = ()

    @property
    def is_labelled(self) -> bool:
        """Whether anything can be measured."""
        return any(case.label is not None for case in self.cases)


def limited(cases: tuple[Case, ...], most: int | None) -> tuple[Case, ...]:
    """At most so many cases, spread evenly over each label in the order listed: the prevalence is kept."""
    if most is None or most >= len(cases):
        return cases
    ordered = sorted(cases, key=lambda case: -1 if case.label is None else case.label)
    # The middle of each of `most` equal stretches.
    places = (np.arange(most) + 0.5) * len(ordered) / most
    chosen = [ordered[int(place)] for place in places]
    return tuple(sorted(chosen, key=lambda case: case.row))
