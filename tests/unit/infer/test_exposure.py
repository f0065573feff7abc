from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from wetread.errors import Rejected
from wetread.infer.exposure import LEAST_SIDE_PX, check_exposure
from wetread.phantom.chest import draw_chest
from wetread.phantom.limb import draw_limb


def ramp(rows: int, columns: int) -> NDArray[np.float32]:
    """Greys from black to white, changing along both sides."""
    down, across = np.linspace(0, 1, rows), np.linspace(0, 1, columns)
    return np.asarray((down[:, None] + across[None]) / 2, np.float32)


def why_not(display: NDArray[np.float32]) -> str:
    with pytest.raises(Rejected) as refused:
        check_exposure(display)
    return refused.value.code


@pytest.mark.parametrize("seed", range(3))
def test_phantoms_pass(seed: int) -> None:
    for phantom in (draw_chest(seed, opacity=True), draw_limb(seed, broken=True)):
        check_exposure(phantom.pixels.astype(np.float32) / np.float32(4095))


@pytest.mark.parametrize("grey", [0.0, 0.5, 1.0])
def test_a_frame_of_one_grey_shows_nothing(grey: float) -> None:
    assert why_not(np.full((400, 300), grey, np.float32)) == "picture_flat"


def test_a_frame_that_was_never_exposed_shows_nothing_in_spite_of_its_grain() -> None:
    grain = np.random.default_rng(1).normal(0.02, 0.004, (800, 600))

    assert why_not(np.clip(grain, 0, 1).astype(np.float32)) == "picture_flat"


def test_a_dark_frame_with_a_letter_in_it_shows_nothing() -> None:
    frame = np.zeros((1000, 800), np.float32)
    frame[100:220, 100:205] = ramp(120, 105)
    frame[frame > 0] = 0.9

    assert why_not(frame) in {"picture_flat", "picture_saturated"}


def test_a_film_burnt_to_black_and_white_is_saturated() -> None:
    burnt = np.clip((ramp(600, 500) - 0.5) * 50 + 0.5, 0, 1).astype(np.float32)

    assert why_not(burnt) == "picture_saturated"


def test_a_thumbnail_is_too_small() -> None:
    assert why_not(ramp(LEAST_SIDE_PX - 1, 400)) == "picture_too_small"


def test_a_thumbnail_in_a_large_black_frame_is_too_small() -> None:
    frame = np.zeros((2000, 2000), np.float32)
    frame[900:980, 700:1200] = ramp(80, 500) + 0.2

    assert why_not(frame) == "picture_too_small"


def test_a_film_with_wide_white_margins_passes() -> None:
    film = np.ones((1760, 1760), np.float32)
    film[:, 500:1200] = 0.9 * ramp(1760, 700)

    check_exposure(film)
