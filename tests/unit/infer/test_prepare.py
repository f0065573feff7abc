"""What a network gets, and how its square maps back to the original image."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from wetread.infer.manifest import InputSpec
from wetread.infer.prepare import place, to_input


def spec(**changes: object) -> InputSpec:
    fields = {
        "name": "image",
        "rows": 64,
        "columns": 64,
        "channels": 1,
        "fit": "letterbox",
        "mean": 0.0,
        "std": 1.0,
    }
    return InputSpec.model_validate({**fields, **changes})


def test_a_letterbox_keeps_the_aspect_centred_on_zeros() -> None:
    display = np.ones((200, 100), dtype=np.float32)

    tensor = to_input(display, spec())

    assert tensor.shape == (1, 1, 64, 64)
    assert tensor.dtype == np.float32
    assert np.array_equal(tensor[0, 0].any(axis=0).nonzero()[0], np.arange(16, 48))
    assert np.allclose(tensor[0, 0, :, 16:48], 1)


def test_a_square_fit_fills_the_input() -> None:
    tensor = to_input(np.ones((200, 100), dtype=np.float32), spec(fit="square"))

    assert np.allclose(tensor, 1)


def test_shrinking_averages_areas() -> None:
    display = np.random.default_rng(3).random((256, 256), dtype=np.float32)

    tensor = to_input(display, spec())

    assert np.allclose(tensor[0, 0], display.reshape(64, 4, 64, 4).mean(axis=(1, 3)), atol=1e-6)


def test_enlarging_is_bilinear() -> None:
    display = np.random.default_rng(3).random((32, 32), dtype=np.float32)

    tensor = to_input(display, spec())

    assert np.array_equal(tensor[0, 0], cv2.resize(display, (64, 64), interpolation=cv2.INTER_LINEAR))


def test_mean_and_std_apply_to_every_channel_and_to_the_padding() -> None:
    tensor = to_input(np.ones((100, 50), dtype=np.float32), spec(channels=3, mean=0.5, std=0.25))

    assert tensor.shape == (1, 3, 64, 64)
    assert np.allclose(tensor[0, :, 32, 32], 2)
    assert (tensor[0, :, 32, 0] == -2).all()
    assert tensor.flags.c_contiguous


@pytest.mark.parametrize("fit", ["letterbox", "square"])
@pytest.mark.parametrize("shape", [(2500, 2048), (373, 454), (64, 64), (31, 977), (3000, 17)])
def test_a_point_survives_the_way_to_the_network_and_back(shape: tuple[int, int], fit: str) -> None:
    placement = place(*shape, spec(fit=fit))

    for x, y in [(0.0, 0.0), (shape[1], shape[0]), (shape[1] / 3, shape[0] / 7)]:
        assert placement.to_original(*placement.to_network(x, y)) == pytest.approx((x, y))


@pytest.mark.parametrize("shape", [(2500, 2048), (373, 454), (3000, 17)])
def test_the_corners_of_the_image_are_the_corners_of_its_place(shape: tuple[int, int]) -> None:
    placement = place(*shape, spec())

    assert placement.to_network(0, 0) == (placement.left, placement.top)
    assert placement.to_original(placement.left + placement.columns, placement.top + placement.rows) == (
        pytest.approx((shape[1], shape[0]))
    )
    assert placement.rows == 64 or placement.columns == 64


def test_a_network_that_wants_the_negative_gets_air_bright_in_the_letterbox_too() -> None:
    tensor = to_input(np.full((100, 50), 0.25, dtype=np.float32), spec(polarity="dense_dark", scale=255.0))

    assert np.allclose(tensor[0, 0, :, 16:48], 0.75 * 255)
    assert np.allclose(tensor[0, 0, :, :16], 255)


def test_a_list_has_a_number_for_each_channel() -> None:
    colour = spec(channels=3, mean=[0.1, 0.2, 0.3], std=[0.5, 1.0, 2.0], fit="square")

    tensor = to_input(np.full((64, 64), 0.6, dtype=np.float32), colour)

    assert tensor[0, :, 0, 0] == pytest.approx([1.0, 0.4, 0.15])
