from __future__ import annotations

from itertools import combinations

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from tests.unit.report.studies import a_display, a_finding
from wetread.domain import Box
from wetread.report.answer import SAFETY_NOTE, Tone
from wetread.report.band import COLOUR_OF, Band, band_rows, paint_band
from wetread.report.layout import LEAST_COLUMNS, LEAST_SIDE
from wetread.report.lettering import line_height, paint_text, width_of
from wetread.report.overlay import draw_overlay
from wetread.report.tint import colour_bar

BAND = Band(Tone.POSITIVE, "FRACTURE SUSPECTED 87 %", "Wetread, fracture 1.0.0")


def count_of(picture: NDArray[np.uint8], tone: Tone) -> int:
    return int((picture == np.array(COLOUR_OF[tone], np.uint8)).all(axis=-1).sum())


@pytest.mark.parametrize("shape", [(3000, 2500), (2500, 3000), (2048, 2048), (3000, 200), (200, 3000)])
@pytest.mark.parametrize("max_side", [256, 512, 1024, 2048])
def test_picture_stays_within_its_bound(shape: tuple[int, int], max_side: int) -> None:
    picture = draw_overlay(a_display(*shape), findings=[], band=BAND, max_side=max_side)

    assert max(picture.shape) <= max_side
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


def test_smallest_picture_still_fills_its_frame() -> None:
    picture = draw_overlay(a_display(3000, 3000), findings=[], band=BAND, max_side=256)

    assert picture[-1].any(axis=-1).mean() > 0.65


def test_bound_that_not_even_the_band_fits_is_an_error() -> None:
    with pytest.raises(ValueError, match="no picture fits"):
        draw_overlay(a_display(), findings=[], band=BAND, max_bytes=10_000)


def test_tag_leaves_a_marker_on_the_film_readable() -> None:
    """The letter that says left or right must never be covered by a word of ours."""
    display = np.zeros((1000, 800), np.float32)
    display[345:385:8, 300:480] = 1.0

    picture = draw_overlay(display, findings=[a_finding(0.87, Box(300, 400, 420, 520, 0.9))], band=None)

    assert (picture[345:385:8, 310:470] == 255).all()
    assert count_of(picture, Tone.POSITIVE) > 4 * 120


@pytest.mark.parametrize(("probability", "tone"), [(0.87, Tone.POSITIVE), (0.34, Tone.DOUBTFUL)])
def test_tiny_box_is_seen(probability: float, tone: Tone) -> None:
    finding = a_finding(probability, Box(1200, 1000, 1204, 1004, 0.9))

    picture = draw_overlay(np.zeros((3000, 2500), np.float32), findings=[finding], band=None, max_side=1500)

    frame = picture[480:525, 580:625]
    assert 20 <= np.ptp(np.nonzero(frame.any(axis=-1))[1]) <= 44
    assert count_of(frame, tone) > 60


def test_tags_of_a_narrow_film_stand_on_the_black_beside_it() -> None:
    finding = a_finding(0.87, Box(20, 400, 80, 480, 0.9))

    picture = draw_overlay(np.full((1000, 100), 0.5, np.float32), findings=[finding], band=None)

    beside = np.concatenate((picture[:, :160], picture[:, 260:]), axis=1)
    assert count_of(beside, Tone.POSITIVE) > 50


def test_reason_of_a_missing_answer_is_said_to_its_last_word() -> None:
    reason = "the picture guard does not take this for a radiograph of a limb: too far from what it knows"

    first, other = (
        paint_band(Band(Tone.NOT_EVALUABLE, f"NOT EVALUABLE: {reason} {last}"), columns=600)
        for last in ("today", "again")
    )

    assert not np.array_equal(first, other)


# Machado, Oliveira and Fernandes 2009, full severity, on linear RGB.
BLINDNESS = {
    "protanopia": [[0.1523, 1.0526, -0.2049], [0.1145, 0.7863, 0.0992], [-0.0039, -0.0481, 1.0520]],
    "deuteranopia": [[0.3673, 0.8606, -0.2280], [0.2801, 0.6725, 0.0474], [-0.0118, 0.0429, 0.9689]],
    "tritanopia": [[1.2555, -0.0767, -0.1788], [-0.0784, 0.9308, 0.1476], [0.0047, 0.6914, 0.3039]],
}


def as_seen(colours: NDArray[np.uint8], blindness: str) -> NDArray[np.float32]:
    """Colours, (n, 3), in CIELAB as somebody with that blindness sees them."""
    linear = (colours / 255) ** 2.2 @ np.array(BLINDNESS[blindness]).T
    seen = (np.clip(linear, 0, 1) ** (1 / 2.2)).astype(np.float32)
    return np.asarray(cv2.cvtColor(seen[None], cv2.COLOR_RGB2LAB)[0], np.float32)


@pytest.mark.parametrize("blindness", BLINDNESS)
def test_colours_of_the_answers_stay_apart_for_the_colour_blind(blindness: str) -> None:
    seen = as_seen(np.array(list(COLOUR_OF.values()), np.uint8), blindness)

    apart = [float(np.linalg.norm(a - b)) for a, b in combinations(seen, 2)]

    # Just noticeable is 2.3; the words say it too.
    assert min(apart) > 12


@pytest.mark.parametrize("blindness", BLINDNESS)
def test_heat_grows_lighter_with_the_evidence_for_the_colour_blind_too(blindness: str) -> None:
    bar = colour_bar(1, 1000, grey=64)[0, 320:]

    lightness = as_seen(bar, blindness)[:, 0]

    assert (np.diff(lightness[::40]) > 0).all()
    assert lightness[-1] - lightness[0] > 10


def is_written(picture: NDArray[np.uint8], text: str) -> bool:
    """Whether a tag on black says this, at the size of a picture 1000 pixels high."""
    size = 1000 // 52
    wanted = np.zeros((line_height(size), width_of(text, size) + size // 2, 3), np.uint8)
    paint_text(wanted, text, x=size // 4, y=0, size_px=size, colour=COLOUR_OF[Tone.POSITIVE])
    return float(cv2.matchTemplate(picture, wanted, cv2.TM_CCOEFF_NORMED).max()) > 0.999


def test_every_tag_says_label_and_zone_and_the_first_the_probability() -> None:
    boxes = [Box(100, 100, 200, 200, 0.9), Box(300, 500, 400, 600, 0.9)]
    display = np.zeros((1000, 800), np.float32)

    picture = draw_overlay(display, findings=[a_finding(0.87, *boxes)], band=None)

    assert is_written(picture[:350], "Fracture 87 %, positive")
    assert is_written(picture[350:], "Fracture, positive")
