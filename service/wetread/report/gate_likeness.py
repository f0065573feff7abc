"""Whether a radiograph as drawn is the source's: its polarity, its orientation, and its place."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import numpy as np
from numpy.typing import NDArray

from wetread.report.source_pixels import SAMPLES_A_SIDE, evenly

_CELLS: Final = 64
# Of 255: what a network has read shows more than this (`infer.exposure`).
_LEAST_CONTRAST: Final = 8
# Real files have 0.89 or more, whatever their window; turned by half of a symmetric hand still 0.93.
_INVERTED_BELOW: Final = -0.1
_ANOTHER_BELOW: Final = 0.25
# A film lies otherwise than its source where that fits better by this part of all that is missing, and by so
# much at least: chance, noise and a window that clips make less of a difference.
_OF_THE_MISSING: Final = 0.5
_BETTER_BY: Final = 0.01
# Parts of the source, by side, that might have been enlarged to the whole.
_CROPS: Final = (0.92, 0.85, 0.7)
_Cells = NDArray[np.float64]


def look_defects(
    film: NDArray[np.uint8], stored: NDArray[np.int64] | None, *, is_read: bool
) -> Iterator[str]:
    """Black, inverted, turned round, displaced or another's.

    `film` is (rows, columns), nothing drawn on it; `stored` is what `source_pixels` samples of the source.
    `is_read`: a network has seen something on it.
    """
    shown = film[np.ix_(*(evenly(side, SAMPLES_A_SIDE) for side in film.shape))].astype(np.int64)
    if is_read and np.ptp(shown) < _LEAST_CONTRAST:
        yield "the picture shows nothing"
        return
    if stored is None:
        return
    ours, theirs = _measures(shown), _measures(stored)
    most = _most(ours, theirs)
    own, *turned = ((film * theirs).sum(axis=(1, 2)) / most for film in (ours, *_turned(ours)))
    if own.max() < _INVERTED_BELOW:
        yield "the picture is inverted"
    elif own.max() < _ANOTHER_BELOW and is_read:
        yield "the picture is of another image"
    elif any((one > _least(own)).all() for one in turned):
        yield "the picture is turned or mirrored"
    elif any(_lies(ours, _measures(part), least=_least(own)) for part in (stored, *_cropped(stored))):
        yield "the picture lies beside its place"


def _least(own: _Cells) -> _Cells:
    """How well the source must fit otherwise, by both measures, to be believed."""
    return np.asarray(own + np.maximum(_BETTER_BY, _OF_THE_MISSING * (1 - own)), np.float64)


def _lies(ours: _Cells, theirs: _Cells, *, least: _Cells) -> bool:
    """Whether the film fits so well at some shift."""
    spectrum = np.conj(np.fft.rfft2(ours)) * np.fft.rfft2(theirs)
    shifted = np.fft.irfft2(spectrum, ours.shape[1:]) / _most(ours, theirs)[:, None, None]
    return bool((shifted > least[:, None, None]).all(axis=0).any())


def _measures(samples: NDArray[np.int64]) -> _Cells:
    """Ranks and values of the cells, about their means, (2, rows, columns).

    A cell sums samples: a smaller picture has less noise, so should its source. Ranks are blind to windowing,
    values to noise.
    """
    per_cell = SAMPLES_A_SIDE // _CELLS
    cells = samples.reshape(_CELLS, per_cell, _CELLS, per_cell).sum(axis=(1, 3)).astype(np.float64)
    both = np.stack((_ranks(cells), cells))
    return np.asarray(both - both.mean(axis=(1, 2), keepdims=True), np.float64)


def _most(ours: _Cells, theirs: _Cells) -> _Cells:
    """What the products of two films sum up to at most, (2,); infinite where there is nothing to compare.

    Of ranks what their ties allow: a window may leave a small object on black.
    """
    ranked = np.dot(np.sort(ours[0], axis=None), np.sort(theirs[0], axis=None))
    valued = np.linalg.norm(ours[1]) * np.linalg.norm(theirs[1])
    most = np.array([ranked, valued])
    return np.where(most > 0, most, np.inf)


def _turned(cells: _Cells) -> tuple[_Cells, ...]:
    return cells[:, ::-1], cells[:, :, ::-1], cells[:, ::-1, ::-1]


def _cropped(samples: NDArray[np.int64]) -> Iterator[NDArray[np.int64]]:
    """The middle of it at the size of the whole."""
    for part in _CROPS:
        at = (SAMPLES_A_SIDE * (1 - part) / 2 + part * np.arange(SAMPLES_A_SIDE)).astype(np.intp)
        yield samples[np.ix_(at, at)]


def _ranks(values: _Cells) -> _Cells:
    """Equal values share the middle of their ranks."""
    _, place, counts = np.unique(values, return_inverse=True, return_counts=True)
    return np.asarray((np.cumsum(counts) - counts / 2)[place.reshape(values.shape)], np.float64)
