from __future__ import annotations

import numpy as np

from wetread.phantom.slice import RESCALE_INTERCEPT, draw_ct_slice


def test_ct_slice_has_air_outside_and_soft_tissue_inside() -> None:
    phantom = draw_ct_slice(1)

    hounsfield = phantom.pixels.astype(np.int32) + RESCALE_INTERCEPT

    assert phantom.pixels.shape == (512, 512)
    assert np.median(hounsfield[:60]) < -950
    assert 20 < np.median(hounsfield[200:240, 140:200]) < 100
    assert phantom.boxes == ()


def test_ct_slice_is_the_same_when_the_seed_is_the_same() -> None:
    assert np.array_equal(draw_ct_slice(3).pixels, draw_ct_slice(3).pixels)
