"""Which parts of a sample are measured apart."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Final

import numpy as np

from wetread.domain import OperatingPoints
from wetread.errors import Misconfigured
from wetread.evaluate.figures import Figures, area_under_curve, at_threshold, count
from wetread.evaluate.sample import Flags, Sample

LEAST_IMAGES = 15
# An AUC of fewer positives, or negatives, is chance.
LEAST_OF_A_LABEL = 5
MOST_VALUES = 20
_AGE = re.compile(r"0*(\d{1,3})(\.\d+)?\s*([DWMY]?)", re.IGNORECASE)
_BANDS = ((18, "under 18 years"), (40, "18 to 39 years"), (60, "40 to 59 years"), (80, "60 to 79 years"))
_OLDEST = "80 years and over"
_YES = frozenset({"1", "1.0", "true", "yes"})
_NO = frozenset({"0", "0.0", "false", "no"})


def _age_band(value: str) -> str:
    match = _AGE.fullmatch(value)
    if match is None:
        return value
    # DICOM's AS: days, weeks and months are the first years of life.
    years = float(match[1] + (match[2] or "")) if match[3].upper() in ("", "Y") else 0.0
    return next((band for limit, band in _BANDS if years < limit), _OLDEST)


def _hardware(value: str) -> str:
    if value.lower() in _YES:
        return "with hardware"
    return "without hardware" if value.lower() in _NO else value


# Read where they are there, each with how a value is named.
USUAL: Final[Mapping[str, Callable[[str], str]]] = {
    "age": _age_band,
    "sex": str.upper,
    "view": str.upper,
    "views": str.lower,
    "body_part": str.lower,
    "vendor": str.strip,
    "hardware": _hardware,
    "subset": str.strip,
    "sublabel": str.strip,
}


def describe_subgroups(sample: Sample, points: OperatingPoints, *, by: Sequence[str]) -> list[Figures]:
    """One entry per value of each column that has at least `LEAST_IMAGES` images.

    An AUC needs `LEAST_OF_A_LABEL` of each. A part with one label only is set against all cases of the
    other label, and says so in `against`.
    Raises Misconfigured for a column in `by` that is not there or has too many values.
    """
    found: list[Figures] = []
    for column in dict.fromkeys([*USUAL, *by]):
        values = values_of(sample, column)
        kinds = sorted({str(value) for value in values} - {""})
        if len(kinds) > MOST_VALUES:
            if column in by:
                raise Misconfigured(f"--by {column}: {len(kinds)} values, at most {MOST_VALUES} are told")
            continue
        if column in by and not kinds:
            raise Misconfigured(f"--by {column}: no such column, or it is empty")
        if len(kinds) > 1 or column in by:
            found += _of_column(sample, points, column, {kind: values == kind for kind in kinds})
    return found


def values_of(sample: Sample, column: str) -> np.ndarray[tuple[int], np.dtype[np.str_]]:
    """A column's values as they are named on the page, '' where there is none."""
    name = USUAL.get(column, str.strip)
    return np.array([name(case.facts.get(column, "")) for case in sample.cases], dtype=str)


def _of_column(
    sample: Sample, points: OperatingPoints, column: str, parts: Mapping[str, Flags]
) -> list[Figures]:
    return [
        _describe(sample, points, column, value, kept)
        for value, kept in parts.items()
        if int(kept.sum()) >= LEAST_IMAGES
    ]


def _describe(sample: Sample, points: OperatingPoints, column: str, value: str, kept: Flags) -> Figures:
    part, against = sample.part(kept), ""
    compared = part
    if not part.has_both and sample.has_both:
        is_ill = bool(part.labels[0])
        against = "all negatives" if is_ill else "all positives"
        compared = sample.part(kept | (sample.labels != int(is_ill)))
    return {
        "column": column,
        "value": value,
        **count(part),
        "against": against,
        "auc": area_under_curve(compared) if _has_enough(compared) else None,
        "operating_points": {
            name: at_threshold(part, threshold, prevalence=None)
            for name, threshold in (("sensitive", points.sensitive), ("specific", points.specific))
        },
    }


def _has_enough(sample: Sample) -> bool:
    counts = np.bincount(sample.labels, minlength=2)
    return int(counts.min()) >= LEAST_OF_A_LABEL
