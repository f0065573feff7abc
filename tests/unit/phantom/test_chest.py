from __future__ import annotations

import numpy as np
import pytest

from wetread.phantom.chest import draw_chest


def test_chest_is_the_same_film_when_the_seed_is_the_same() -> None:
    first = draw_chest(5, opacity=True, rows=512, columns=512)
    again = draw_chest(5, opacity=True, rows=512, columns=512)

    assert np.array_equal(first.pixels, again.pixels)
    assert first.boxes == again.boxes


@pytest.mark.parametrize("seed", range(8))
def test_chest_box_lies_in_the_film_and_holds_the_opacity(seed: int) -> None:
    clouded = draw_chest(seed, opacity=True, rows=512, columns=512)
    clear = draw_chest(seed, opacity=False, rows=512, columns=512)

    change = clouded.pixels.astype(np.int32) - clear.pixels
    ((left, top, right, bottom),) = clouded.boxes
    window = change[int(top) : int(bottom), int(left) : int(right)]

    assert clear.boxes == ()
    assert 0 <= left < right <= 512
    assert 0 <= top < bottom <= 512
    assert np.abs(window).sum() > 0.85 * np.abs(change).sum()
    assert window.mean() > 150


def test_chest_has_dark_lungs_beside_a_bright_mediastinum() -> None:
    phantom = draw_chest(4, opacity=False)

    lung = np.median(phantom.pixels[380:520, 250:370])
    heart = np.median(phantom.pixels[560:660, 500:560])

    assert (phantom.body_part, phantom.view, phantom.laterality) == ("CHEST", "PA", "")
    assert lung < 0.6 * heart


def test_chest_draws_the_same_person_at_another_size() -> None:
    large = draw_chest(4, opacity=True)
    small = draw_chest(4, opacity=True, rows=512, columns=512)

    halved = np.array(large.boxes[0]) / 2

    assert small.spacing_mm == pytest.approx(2 * large.spacing_mm)
    assert np.abs(halved - np.array(small.boxes[0])).max() < 25
