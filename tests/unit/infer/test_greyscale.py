"""The grey scale, against a plain float64 reading of PS3.3 C.11 on the pixels themselves."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from pydicom import Dataset
from pydicom.dataelem import RawDataElement
from pydicom.pixels import apply_modality_lut, apply_voi_lut
from pydicom.tag import Tag

from tests.unit.infer.images import decoded, limb
from wetread.infer.decode import DecodedImage
from wetread.infer.greyscale import ROBUST_PERCENTILES, grey_scale_of
from wetread.infer.prepare import display_notes, to_display

WINDOW = {"WindowCenter": 1800.0, "WindowWidth": 2500.0}


def lut_item(entries: NDArray[np.generic], *, first: int, bits: int, signed: bool = False) -> Dataset:
    """One item of a Modality or VOI LUT Sequence; `signed` encodes the first input as SS."""
    item = Dataset()
    item.add_new("LUTDescriptor", "SS" if signed else "US", [len(entries) & 0xFFFF, first, bits])
    item.add_new("LUTData", "US", [int(entry) for entry in entries])
    return item


def linear(values: NDArray[np.float64], centre: float, width: float) -> NDArray[np.float64]:
    """The three branches of C.11.2.1.2.1, word for word, with an output range of 0 to 1."""
    inside = (values - (centre - 0.5)) / (width - 1) + 0.5
    below = values <= centre - 0.5 - (width - 1) / 2
    above = values > centre - 0.5 + (width - 1) / 2
    return np.where(below, 0.0, np.where(above, 1.0, inside))


def exactly(image: DecodedImage, expected: NDArray[np.float64]) -> bool:
    shown = to_display(image)
    return shown.dtype == np.float32 and np.array_equal(shown, expected.astype(np.float32))


def test_a_linear_window_is_exact(tmp_path: Path) -> None:
    stored = limb()

    image = decoded(tmp_path / "a.dcm", stored, **WINDOW)

    assert exactly(image, linear(stored.astype(np.float64), 1800, 2500))
    assert display_notes(image) == ()


def test_a_linear_window_agrees_with_pydicom(tmp_path: Path) -> None:
    stored = limb()
    image = decoded(tmp_path / "a.dcm", stored, **WINDOW, RescaleSlope=1.5, RescaleIntercept=-200)

    shown = to_display(image)

    reference = apply_voi_lut(apply_modality_lut(stored, image.ds), image.ds)
    # pydicom scales to the output range of the modality LUT, we to 0..1.
    assert np.allclose(shown, (reference - reference.min()) / np.ptp(reference), atol=1e-6)


def test_a_window_of_width_1_is_a_step(tmp_path: Path) -> None:
    stored = limb()

    image = decoded(tmp_path / "a.dcm", stored, WindowCenter=1800, WindowWidth=1)

    assert exactly(image, np.where(stored > 1799.5, 1.0, 0.0))


def test_a_linear_exact_window_is_exact(tmp_path: Path) -> None:
    stored = limb()

    image = decoded(tmp_path / "a.dcm", stored, **WINDOW, VOILUTFunction="LINEAR_EXACT")

    assert exactly(image, np.clip((stored - 1800.0) / 2500.0 + 0.5, 0, 1))


def test_a_sigmoid_window_is_exact(tmp_path: Path) -> None:
    stored = limb()

    image = decoded(tmp_path / "a.dcm", stored, **WINDOW, VOILUTFunction="SIGMOID")

    assert exactly(image, 1 / (1 + np.exp(-4 * (stored - 1800.0) / 2500.0)))


def test_the_first_of_several_windows_counts(tmp_path: Path) -> None:
    stored = limb()

    image = decoded(tmp_path / "a.dcm", stored, WindowCenter=[1800, 10], WindowWidth=[2500, 20])

    assert exactly(image, linear(stored.astype(np.float64), 1800, 2500))


def test_a_window_applies_to_rescaled_values(tmp_path: Path) -> None:
    stored = limb()

    image = decoded(
        tmp_path / "a.dcm",
        stored,
        RescaleSlope=0.25,
        RescaleIntercept=-100,
        WindowCenter=350,
        WindowWidth=600,
    )

    assert exactly(image, linear(stored * 0.25 - 100, 350, 600))


def test_signed_values_are_shown_in_order(tmp_path: Path) -> None:
    stored = (limb().astype(np.int32) - 2048).astype(np.int16)

    image = decoded(tmp_path / "a.dcm", stored, WindowCenter=0, WindowWidth=3000)

    assert exactly(image, linear(stored.astype(np.float64), 0, 3000))


def test_a_modality_lut_maps_inputs_and_clamps_at_its_ends(tmp_path: Path) -> None:
    stored = limb()
    entries = np.linspace(60_000, 1_000, 3_000).astype(np.uint16)

    image = decoded(
        tmp_path / "a.dcm",
        stored,
        ModalityLUTSequence=[lut_item(entries, first=500, bits=16)],
        WindowCenter=30_000,
        WindowWidth=60_000,
    )

    expected = entries[np.clip(stored.astype(int) - 500, 0, 2_999)].astype(np.float64)
    assert exactly(image, linear(expected, 30_000, 60_000))


@pytest.mark.parametrize("bits", [8, 10, 12, 16])
def test_a_voi_lut_counts_before_a_window(tmp_path: Path, bits: int) -> None:
    stored = limb()
    entries = np.rint(np.linspace(0, 1, 4_096) ** 2 * (2**bits - 1)).astype(np.uint16)

    image = decoded(
        tmp_path / "a.dcm", stored, **WINDOW, VOILUTSequence=[lut_item(entries, first=0, bits=bits)]
    )

    assert exactly(image, entries[stored] / (2**bits - 1))


def test_the_first_input_of_a_voi_lut_is_signed_as_its_input_is(tmp_path: Path) -> None:
    stored = (limb().astype(np.int32) - 2048).astype(np.int16)
    entries = np.arange(4_096)

    image = decoded(
        tmp_path / "a.dcm", stored, VOILUTSequence=[lut_item(entries, first=65_536 - 2_048, bits=12)]
    )

    assert exactly(image, entries[stored.astype(int) + 2048] / 4_095)


def test_a_lut_of_65536_entries_says_0_in_its_descriptor(tmp_path: Path) -> None:
    stored = limb(bits=16)
    entries = np.arange(65_536)
    item = lut_item(entries, first=0, bits=16)
    item.add_new("LUTData", "OW", entries.astype("<u2").tobytes())

    image = decoded(tmp_path / "a.dcm", stored, bits=16, VOILUTSequence=[item])

    assert exactly(image, stored / 65_535)


def test_without_a_voi_the_robust_range_of_the_image_is_shown(tmp_path: Path) -> None:
    stored = limb(rows=200, columns=200, bits=12)

    image = decoded(tmp_path / "a.dcm", stored)

    low, high = np.percentile(stored, ROBUST_PERCENTILES)
    assert exactly(image, np.clip((stored - low) / (high - low), 0, 1))


def test_the_robust_range_follows_a_small_rescale_slope(tmp_path: Path) -> None:
    stored = limb()

    image = decoded(tmp_path / "a.dcm", stored, RescaleSlope=0.0001, RescaleIntercept=0)

    assert np.allclose(to_display(image), to_display(decoded(tmp_path / "b.dcm", stored)), atol=1e-6)


def test_range_is_said_only_where_it_is_shown(tmp_path: Path) -> None:
    stored = limb(rows=200, columns=200, bits=12)
    bare = decoded(tmp_path / "bare.dcm", stored)
    windowed = decoded(tmp_path / "windowed.dcm", stored, WindowCenter=2048, WindowWidth=3000)

    shown = grey_scale_of(bare).own_range

    assert shown == pytest.approx(tuple(np.percentile(stored, ROBUST_PERCENTILES)))
    assert grey_scale_of(windowed).own_range is None


def test_without_a_voi_an_8_bit_image_is_shown_as_it_is(tmp_path: Path) -> None:
    stored = limb(bits=8).astype(np.uint8)

    image = decoded(tmp_path / "a.dcm", stored, bits=8)

    assert exactly(image, stored / 255.0)


def test_padding_does_not_count_in_the_range_of_an_image(tmp_path: Path) -> None:
    stored = np.clip(limb(rows=200, columns=200), 300, 3_000)
    plain = grey_scale_of(decoded(tmp_path / "a.dcm", stored))
    padded = np.vstack([stored, np.full_like(stored, 4_095)])

    image = decoded(tmp_path / "b.dcm", padded, PixelPaddingValue=4_095)

    assert np.allclose(grey_scale_of(image).table, plain.table, atol=0.02)


@pytest.mark.parametrize(
    ("attributes", "note"),
    [
        ({"WindowCenter": 1800, "WindowWidth": 0}, "voi_broken"),
        ({"WindowCenter": 1800, "WindowWidth": 0.5}, "voi_broken"),
        ({"WindowCenter": 1800, "WindowWidth": -400}, "voi_broken"),
        ({**WINDOW, "VOILUTFunction": "CUBIC"}, "voi_broken"),
        ({"WindowCenter": 40_000, "WindowWidth": 400}, "voi_flat"),
        ({"WindowCenter": -9_000, "WindowWidth": 400}, "voi_flat"),
        ({"VOILUTSequence": [lut_item(np.zeros(4_096), first=0, bits=12)]}, "voi_flat"),
        ({"VOILUTSequence": [lut_item(np.arange(4_096), first=0, bits=3)]}, "voi_broken"),
        ({"VOILUTSequence": [Dataset()]}, "voi_broken"),
        ({**WINDOW, "RescaleSlope": 0, "RescaleIntercept": 0}, "modality_lut_broken"),
        ({**WINDOW, "ModalityLUTSequence": [Dataset()]}, "modality_lut_broken"),
    ],
    ids=str,
)
def test_a_broken_or_blank_voi_gives_way_to_the_image_and_is_noted(
    tmp_path: Path, attributes: dict[str, object], note: str
) -> None:
    stored = limb(rows=200, columns=200)

    image = decoded(tmp_path / "a.dcm", stored, **attributes)

    assert display_notes(image) == (note,)
    assert np.array_equal(to_display(image), to_display(decoded(tmp_path / "b.dcm", stored)))


def test_a_broken_voi_lut_gives_way_to_the_window(tmp_path: Path) -> None:
    stored = limb()

    image = decoded(tmp_path / "a.dcm", stored, **WINDOW, VOILUTSequence=[Dataset()])

    assert exactly(image, linear(stored.astype(np.float64), 1800, 2500))
    assert display_notes(image) == ("voi_broken",)


def test_a_blank_image_is_shown_without_a_number_that_is_none(tmp_path: Path) -> None:
    image = decoded(tmp_path / "a.dcm", np.full((64, 64), 700, dtype=np.uint16), **WINDOW)

    shown = to_display(image)

    assert np.isfinite(shown).all()
    assert "voi_flat" in display_notes(image)


@pytest.mark.parametrize(
    ("photometry", "shape", "is_inverted", "notes"),
    [
        ("MONOCHROME2", None, False, ()),
        ("MONOCHROME2", "IDENTITY", False, ()),
        ("MONOCHROME1", None, True, ()),
        ("MONOCHROME1", "INVERSE", True, ()),
        ("MONOCHROME1", "IDENTITY", True, ("polarity_contradicts",)),
        ("MONOCHROME2", "INVERSE", False, ("polarity_contradicts",)),
    ],
)
def test_polarity_is_inverted_once_for_monochrome1(
    tmp_path: Path, photometry: str, shape: str | None, is_inverted: bool, notes: tuple[str, ...]
) -> None:
    stored = limb()
    attributes = {"PresentationLUTShape": shape} if shape else {}

    image = decoded(tmp_path / "a.dcm", stored, **WINDOW, PhotometricInterpretation=photometry, **attributes)

    upright = linear(stored.astype(np.float64), 1800, 2500)
    assert exactly(image, 1 - upright if is_inverted else upright)
    assert display_notes(image) == notes


def test_dense_tissue_is_bright_in_both_photometric_interpretations(tmp_path: Path) -> None:
    bright = limb()

    first = to_display(decoded(tmp_path / "a.dcm", bright))
    second = to_display(decoded(tmp_path / "b.dcm", 4_095 - bright, PhotometricInterpretation="MONOCHROME1"))

    assert first[48, 32] > 0.8 > 0.2 > first[48, 2]
    assert np.allclose(first, second, atol=0.01)


@pytest.mark.parametrize(
    "attributes",
    [{"PixelAspectRatio": [2, 1]}, {"ImagerPixelSpacing": [0.1, 0.2]}, {"PixelSpacing": [0.3, 0.2]}],
    ids=str,
)
def test_pixels_that_are_not_square_are_noted(tmp_path: Path, attributes: dict[str, object]) -> None:
    image = decoded(tmp_path / "a.dcm", limb(), **WINDOW, **attributes)

    assert display_notes(image) == ("pixels_not_square",)


def test_nearly_equal_spacings_are_square(tmp_path: Path) -> None:
    image = decoded(tmp_path / "a.dcm", limb(), **WINDOW, ImagerPixelSpacing=[1.2, 1.2011])

    assert display_notes(image) == ()


@pytest.mark.parametrize(
    ("tag", "note"),
    [(0x00280120, "attributes_broken"), (0x00281050, "voi_broken"), (0x00281053, "modality_lut_broken")],
)
def test_bytes_that_are_no_value_are_noted(tmp_path: Path, tag: int, note: str) -> None:
    image = decoded(tmp_path / "a.dcm", limb())
    vr = "US" if tag == 0x00280120 else "DS"
    image.ds[tag] = RawDataElement(Tag(tag), vr, 3, b"x?!", 0, False, True)

    shown, notes = to_display(image), display_notes(image)

    assert np.isfinite(shown).all()
    assert notes == (note,)


@pytest.mark.parametrize("value", [b"0,143\\0,143 ", b"abc\\def ", b"0.4\\"])
def test_a_spacing_that_is_no_number_is_noted_and_the_image_is_shown(tmp_path: Path, value: bytes) -> None:
    image = decoded(tmp_path / "a.dcm", limb(), **WINDOW)
    image.ds[0x00181164] = RawDataElement(Tag(0x00181164), "DS", len(value), value, 0, False, True)

    shown, notes = to_display(image), display_notes(image)

    assert np.isfinite(shown).all()
    assert notes == ("attributes_broken",)
