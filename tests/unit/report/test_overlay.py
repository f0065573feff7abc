from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.unit.report.studies import a_display, a_finding
from wetread.domain import Box
from wetread.report.answer import SAFETY_NOTE, Tone
from wetread.report.band import COLOUR_OF, Band, band_rows, paint_band
from wetread.report.layout import LEAST_COLUMNS, LEAST_SIDE
from wetread.report.overlay import draw_overlay

BAND = Band(Tone.POSITIVE, "FRACTURE SUSPECTED 87 %", "Wetread, fracture 1.0.0")


def count_of(picture: NDArray[np.uint8], tone: Tone) -> int:
    return int((picture == np.array(COLOUR_OF[tone], np.uint8)).all(axis=-1).sum())


@pytest.mark.parametrize("shape", [(3000, 2500), (2500, 3000), (2048, 2048), (3000, 200), (200, 3000)])
@pytest.mark.parametrize("max_side", [512, 1024, 2048])
def test_picture_stays_within_its_bound(shape: tuple[int, int], max_side: int) -> None:
    picture = draw_overlay(a_display(*shape), findings=[], band=BAND, max_side=max_side)

    assert max(picture.shape) <= max_side + 1
    assert picture.dtype == np.uint8


def test_small_image_is_enlarged_so_that_text_can_be_read() -> None:
    picture = draw_overlay(a_display(300, 400), findings=[], band=BAND)

    assert picture.shape[1] == LEAST_SIDE


def test_narrow_image_gets_black_sides() -> None:
    picture = draw_overlay(a_display(1000, 100), findings=[], band=None)

    assert picture.shape == (1000, LEAST_COLUMNS, 3)
    assert not picture[:, :100].any()


def test_band_stands_above_and_hides_no_pixel() -> None:
    display = a_display(1000, 800)

    plain = draw_overlay(display, findings=[], band=None)
    banded = draw_overlay(display, findings=[], band=BAND)

    assert (banded[-1000:] == plain).all()
    assert len(banded) == 1000 + band_rows(BAND, columns=800)


def test_picture_without_band_and_findings_is_the_display_itself() -> None:
    display = (a_display(1000, 800) * 255).astype(np.uint8)

    picture = draw_overlay(display, findings=[], band=None)

    assert (picture == display[..., None]).all()


def test_box_lies_round_the_finding_and_not_on_it() -> None:
    display = np.zeros((1000, 800), np.float32)
    finding = a_finding(0.87, Box(300, 400, 420, 520, 0.9))

    picture = draw_overlay(display, findings=[finding], band=None)

    assert count_of(picture[395:400, 300:420], Tone.POSITIVE) >= 2 * 120
    assert not picture[400:520, 300:420].any()


def test_box_at_the_edge_stays_visible() -> None:
    finding = a_finding(0.87, Box(0, 0, 800, 1000, 0.9))

    picture = draw_overlay(np.zeros((1000, 800), np.float32), findings=[finding], band=None)

    assert count_of(picture, Tone.POSITIVE) > 2 * 1500


def test_doubtful_box_is_dashed_and_of_another_colour() -> None:
    display = np.zeros((1000, 800), np.float32)
    box = Box(200, 300, 600, 800, 0.9)

    solid = draw_overlay(display, findings=[a_finding(0.87, box)], band=None)
    dashed = draw_overlay(display, findings=[a_finding(0.34, box)], band=None)

    assert 0.35 < count_of(dashed[290:], Tone.DOUBTFUL) / count_of(solid[290:], Tone.POSITIVE) < 0.75
    assert count_of(dashed, Tone.POSITIVE) == 0


def test_box_is_scaled_with_the_picture() -> None:
    finding = a_finding(0.87, Box(600, 800, 840, 1040, 0.9))

    picture = draw_overlay(np.zeros((2000, 1600), np.float32), findings=[finding], band=None, max_side=1000)

    assert not picture[400:520, 300:420].any()
    assert count_of(picture[394:400, 300:420], Tone.POSITIVE) >= 120


def test_oblong_pixels_come_out_square() -> None:
    picture = draw_overlay(a_display(800, 800), findings=[], band=None, pixel_aspect=2.0)

    assert picture.shape[:2] == (1600, 800)


def test_heat_map_colours_only_where_there_is_evidence() -> None:
    display = np.full((1000, 800), 0.5, np.float32)
    heat = np.zeros((25, 20), np.float16)
    heat[5, 5] = 1.0

    picture = draw_overlay(display, findings=[], band=None, mode="heatmap", heat_map=heat)

    assert np.ptp(picture[220, 220].astype(int)) > 30
    assert np.ptp(picture[900, 700].astype(int)) <= 1


def test_heat_map_mode_needs_a_heat_map() -> None:
    with pytest.raises(ValueError, match="heat map"):
        draw_overlay(a_display(), findings=[], band=None, mode="heatmap")


@pytest.mark.parametrize("tone", list(Tone))
def test_band_wears_the_colour_of_the_answer(tone: Tone) -> None:
    band = paint_band(Band(tone, "ANSWER"), columns=800)

    assert tuple(band[0, 0]) == COLOUR_OF[tone]
    assert count_of(band, tone) > band.shape[0] * band.shape[1] // 3


def test_band_letters_are_a_fortieth_of_the_picture_or_more() -> None:
    """So that the answer's word is 6 pixels high or more in a thumbnail 256 pixels wide."""
    band = paint_band(BAND, columns=2048)

    ink = (band == 0).all(axis=-1).any(axis=1)

    assert ink.sum() > 2048 / 40


@pytest.mark.parametrize("columns", [LEAST_COLUMNS, 600, 1024, 2048])
@pytest.mark.parametrize(
    "headline",
    [
        "NO FINDINGS",
        "FRACTURE SUSPECTED 87 %, PNEUMONIA POSSIBLE 34 %",
        "NOT EVALUABLE: " + "long reason " * 30,
    ],
)
def test_band_text_never_leaves_the_band(columns: int, headline: str) -> None:
    band = paint_band(
        Band(Tone.POSITIVE, headline, "Wetread, " + "network 1.0.0, " * 20, SAFETY_NOTE), columns=columns
    )

    edge = np.concatenate((band[:, :2], band[:, -2:]), axis=1)

    assert {tuple(pixel) for pixel in edge.reshape(-1, 3)} <= {COLOUR_OF[Tone.POSITIVE], (18, 22, 26)}


def test_several_labels_do_not_cover_each_other_or_the_boxes() -> None:
    boxes = [Box(300, 400, 400, 460, 0.9), Box(300, 470, 400, 530, 0.9), Box(320, 330, 420, 392, 0.9)]

    picture = draw_overlay(np.zeros((1000, 800), np.float32), findings=[a_finding(0.87, *boxes)], band=None)

    assert not picture[402:458, 302:398].any()
