from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from wetread.phantom.film import Phantom
from wetread.phantom.limb import draw_limb


def _inside(phantom: Phantom) -> NDArray[np.bool_]:
    inside = np.zeros(phantom.pixels.shape, dtype=bool)
    for left, top, right, bottom in phantom.boxes:
        inside[int(top) : int(np.ceil(bottom)), int(left) : int(np.ceil(right))] = True
    return inside


def test_limb_is_the_same_film_when_the_seed_is_the_same() -> None:
    first = draw_limb(5, broken=True, rows=512, columns=416)
    again = draw_limb(5, broken=True, rows=512, columns=416)

    assert np.array_equal(first.pixels, again.pixels)
    assert first.boxes == again.boxes


def test_limb_is_another_film_when_the_seed_is_another() -> None:
    first = draw_limb(5, broken=False, rows=512, columns=416)
    second = draw_limb(6, broken=False, rows=512, columns=416)

    assert not np.array_equal(first.pixels, second.pixels)


@pytest.mark.parametrize("view", ["AP", "LATERAL"])
@pytest.mark.parametrize("seed", range(8))
def test_limb_box_lies_in_the_film_and_holds_what_the_break_changed(seed: int, view: str) -> None:
    broken = draw_limb(seed, broken=True, view=view)
    intact = draw_limb(seed, broken=False, view=view)

    change = np.abs(broken.pixels.astype(np.int32) - intact.pixels)
    inside = _inside(broken)

    assert broken.boxes
    assert intact.boxes == ()
    for left, top, right, bottom in broken.boxes:
        assert 0 <= left < right <= broken.pixels.shape[1]
        assert 0 <= top < bottom <= broken.pixels.shape[0]
    assert change[inside].sum() > 0.6 * change.sum()
    assert inside[np.unravel_index(change.argmax(), change.shape)]


def test_limb_keeps_the_person_when_the_view_changes() -> None:
    front = draw_limb(3, broken=True)
    side = draw_limb(3, broken=True, view="LATERAL")

    assert (front.body_part, front.laterality) == (side.body_part, side.laterality)
    assert front.view == "AP"
    assert side.view == f"{side.laterality}L"
    assert len(front.boxes) == len(side.boxes)


def test_limb_uses_the_stored_range_with_dense_tissue_bright() -> None:
    phantom = draw_limb(1, broken=False)

    assert phantom.pixels.dtype == np.uint16
    assert phantom.pixels.max() <= 4095
    assert np.percentile(phantom.pixels, 25) < 500
    assert np.percentile(phantom.pixels, 99) > 1800


def test_limb_refuses_a_view_it_cannot_draw() -> None:
    with pytest.raises(ValueError, match="OBLIQUE"):
        draw_limb(1, broken=False, view="OBLIQUE")
