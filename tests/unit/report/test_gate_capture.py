"""Defects planted in captures, plain and of a heat map: each one must be caught."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from pydicom.dataset import Dataset

from tests.unit.report.studies import (
    FRACTURE_MODEL,
    PNEUMONIA_MODEL,
    SourceImage,
    a_display,
    a_finding,
    a_heat_map,
    a_study,
    an_image,
    declined,
    done,
    write_source,
)
from tests.unit.report.test_gate import CAPTURE, COMMON, Mutation, delete, set_to
from wetread.domain import Box, Finding
from wetread.errors import InvalidObject
from wetread.report.answer import Tone
from wetread.report.band import COLOUR_OF, Band, band_rows, paint_band
from wetread.report.capture import build_capture, build_heat_map_capture
from wetread.report.gate import check
from wetread.report.legend import Legend, legend_of, legend_rows, paint_legend
from wetread.report.overlay import Display
from wetread.report.results import BuiltObject, Evidence, StudyResult

# Some defects are values that pydicom warns of when they are planted.
pytestmark = pytest.mark.filterwarnings("ignore:.*:UserWarning:pydicom")

FOUND = a_finding(0.87, Box(100, 150, 180, 260, 0.9), Box(300, 400, 420, 520, 0.7))
EVIDENCE = Evidence(FRACTURE_MODEL, FOUND, a_heat_map())
BAND = Band(Tone.POSITIVE, "FRACTURE SUSPECTED 87 %", "Wetread, fracture 1.0.0")
Pixels = NDArray[np.uint8]


def a_film() -> Display:
    """A limb that lies to one side and is brighter at one end: no turn leaves it as it is."""
    slope = np.linspace(0.3, 1.0, 600, dtype=np.float32)[:, None]
    return np.asarray(np.roll(a_display(), -80, axis=1) * slope, np.float32)


@pytest.fixture
def study(tmp_path: Path) -> StudyResult:
    pixels = (a_film() * 4095).astype("<u2").tobytes()
    path = write_source(tmp_path, SourceImage(more={"PixelData": pixels}))
    return a_study(an_image(path, done(FOUND)))


def plain_of(study: StudyResult) -> BuiltObject:
    return build_capture(study.images[0], a_film(), study)


def heat_map_of(study: StudyResult) -> BuiltObject:
    return build_heat_map_capture(study.images[0], a_film(), study, [EVIDENCE])


def parts_of(picture: Pixels, ds: Dataset) -> tuple[Pixels, Pixels, Pixels]:
    """Band, film and legend, as views."""
    top = band_rows(BAND, columns=ds.Columns)
    is_heat_map = "Heat map" in ds.ImageComments
    end = len(picture) - (legend_rows(legend_of(EVIDENCE), columns=ds.Columns) if is_heat_map else 0)
    return picture[:top], picture[top:end], picture[end:]


def repainted(change: Callable[[Pixels, Pixels, Pixels], None]) -> Mutation:
    """A mutation of the pixels: of band, film and legend, in place."""

    def mutate(ds: Dataset) -> None:
        length = ds.Rows * ds.Columns * 3
        picture = np.frombuffer(ds.PixelData, np.uint8, count=length).reshape(ds.Rows, ds.Columns, 3).copy()
        change(*parts_of(picture, ds))
        ds.PixelData = picture.tobytes() + b"\0" * (length % 2)

    return mutate


def film_becomes(change: Callable[[Pixels], Pixels]) -> Mutation:
    """A mutation of the film alone."""

    def paint(band: Pixels, film: Pixels, legend: Pixels) -> None:
        film[:] = change(film.copy())

    return repainted(paint)


def another_answer(band: Pixels, film: Pixels, legend: Pixels) -> None:
    band[:] = paint_band(replace(BAND, headline="FRACTURE SUSPECTED 67 %"), columns=band.shape[1])


def no_words(band: Pixels, film: Pixels, legend: Pixels) -> None:
    band[:] = COLOUR_OF[Tone.POSITIVE]


def another_network(band: Pixels, film: Pixels, legend: Pixels) -> None:
    legend[:] = paint_legend(Legend("Fracture", PNEUMONIA_MODEL, 0.9), columns=legend.shape[1])[: len(legend)]


def no_legend(band: Pixels, film: Pixels, legend: Pixels) -> None:
    legend[:] = 0


def reshape(ds: Dataset) -> None:
    ds.Rows, ds.Columns = ds.Columns, ds.Rows


def name_two_sources(ds: Dataset) -> None:
    ds.SourceImageSequence = [ds.SourceImageSequence[0], deepcopy(ds.SourceImageSequence[0])]


def lay_over_the_source(ds: Dataset) -> None:
    ds.add_new(0x60000010, "US", ds.Rows)


BOTH: dict[str, Mutation] = {
    "black": film_becomes(np.zeros_like),
    "one grey": film_becomes(lambda film: np.full_like(film, 128)),
    "inverted": film_becomes(lambda film: 255 - film),
    "mirrored": film_becomes(lambda film: film[:, ::-1]),
    "upside down": film_becomes(lambda film: film[::-1]),
    "turned round": film_becomes(lambda film: film[::-1, ::-1]),
    "another answer painted": repainted(another_answer),
    "no answer painted": repainted(no_words),
    "rows for columns": reshape,
    "no spacing": delete("PixelSpacing"),
    "two sources": name_two_sources,
    "another class of source": lambda ds: setattr(
        ds.SourceImageSequence[0], "ReferencedSOPClassUID", "1.2.840.10008.5.1.4.1.1.7"
    ),
    "the other side": set_to("ImageLaterality", "R"),
    "no side": delete("ImageLaterality"),
    "two sides": set_to("Laterality", "R"),
    "another body part": set_to("BodyPartExamined", "HAND"),
    "as if a radiograph": set_to("Modality", "CR"),
    "for processing": set_to("PresentationIntentType", "FOR PROCESSING"),
    "spacing of the detector": set_to("ImagerPixelSpacing", ["0.15", "0.15"]),
    "aspect of the source": set_to("PixelAspectRatio", ["1", "2"]),
    "overlay of the source": lay_over_the_source,
    "said to be lossy": set_to("LossyImageCompression", "01"),
    "another series' name": set_to("SeriesDescription", "Wrist PA"),
}
HEAT_MAP: dict[str, Mutation] = {
    "no legend painted": repainted(no_legend),
    "legend of another network": repainted(another_network),
    "whose heat map is not said": set_to("ImageComments", "FRACTURE SUSPECTED 87 %"),
    "another finding's": set_to(
        "ImageComments", "FRACTURE SUSPECTED 87 %. Heat map: Pneumonia, fracture 1.0.0"
    ),
    "colours not explained": set_to(
        "DerivationDescription", "AI result, research use only, not for primary diagnosis"
    ),
}


def assert_caught(built: BuiltObject, study: StudyResult, mutate: Mutation) -> None:
    check(built, study)
    ds = deepcopy(built.ds)
    mutate(ds)
    with pytest.raises(InvalidObject, match=f"^{built.kind.value}: "):
        check(replace(built, ds=ds), study)


@pytest.mark.parametrize("mutate", BOTH.values(), ids=BOTH)
def test_gate_catches_a_defect_in_what_a_capture_shows(study: StudyResult, mutate: Mutation) -> None:
    assert_caught(plain_of(study), study, mutate)


@pytest.mark.parametrize(
    "mutate",
    [*COMMON.values(), *CAPTURE.values(), *BOTH.values(), *HEAT_MAP.values()],
    ids=[*COMMON, *CAPTURE, *BOTH, *HEAT_MAP],
)
def test_gate_catches_a_defect_in_a_heat_map_capture(study: StudyResult, mutate: Mutation) -> None:
    assert_caught(heat_map_of(study), study, mutate)


def test_gate_catches_a_plain_capture_that_is_sent_as_a_heat_map(study: StudyResult) -> None:
    as_heat_map = replace(plain_of(study), kind=heat_map_of(study).kind)

    with pytest.raises(InvalidObject):
        check(as_heat_map, study)


def test_gate_catches_that_a_lossy_source_is_forgotten(tmp_path: Path) -> None:
    path = write_source(tmp_path, SourceImage(more={"LossyImageCompression": "01"}))
    lossy = a_study(an_image(path, done(FOUND)))
    built = build_capture(lossy.images[0], a_display(), lossy)

    assert_caught(built, lossy, set_to("LossyImageCompression", "00"))


def test_gate_catches_the_film_of_another_image_under_the_same_answer(study: StudyResult) -> None:
    lying_limb = np.ascontiguousarray(a_display(480, 600).T)

    built = build_capture(study.images[0], lying_limb, study)

    with pytest.raises(InvalidObject, match="another image"):
        check(built, study)


def test_gate_passes_a_flat_image_that_no_network_has_read(tmp_path: Path) -> None:
    flat = np.full((600, 480), 0.5, np.float32)
    pixels = (flat * 4095).astype("<u2").tobytes()
    path = write_source(tmp_path, SourceImage(more={"PixelData": pixels}))
    study = a_study(an_image(path, declined("picture_flat", "the picture is one grey")))

    built = build_capture(study.images[0], flat, study)

    check(built, study)


def test_gate_catches_a_spacing_on_a_card(study: StudyResult) -> None:
    card = build_capture(study.images[0], None, study)

    assert_caught(card, study, set_to("PixelSpacing", ["0.14", "0.14"]))


def inked(pixels: Pixels) -> NDArray[np.bool_]:
    return np.ptp(pixels.astype(np.int16), axis=-1) > 0


def without_marks(film: Pixels) -> Pixels:
    """Every coloured pixel in the grey of the row's first."""
    return np.where(inked(film)[..., None], film[:, :1], film).astype(np.uint8)


def without_the_second_box(film: Pixels) -> Pixels:
    below = len(film) // 2
    return np.concatenate((film[:below], without_marks(film[below:])))


def one_stray_stroke(film: Pixels) -> Pixels:
    film[-40:-36, 20:60] = COLOUR_OF[Tone.POSITIVE]
    return film


@pytest.mark.parametrize(
    "change",
    [without_marks, without_the_second_box, one_stray_stroke],
    ids=["no boxes", "one box of two", "a stroke that nobody found"],
)
def test_gate_catches_marks_that_are_not_the_findings(
    study: StudyResult, change: Callable[[Pixels], Pixels]
) -> None:
    assert_caught(plain_of(study), study, film_becomes(change))


@pytest.mark.parametrize(
    "drawn",
    [
        a_finding(0.87, Box(160, 150, 240, 260, 0.9), Box(300, 400, 420, 520, 0.7)),
        a_finding(0.34, *FOUND.boxes),
        a_finding(0.67, *FOUND.boxes),
        a_finding(0.87),
    ],
    ids=["a box elsewhere", "in the colour of a doubt", "another probability", "no boxes"],
)
def test_gate_catches_marks_of_another_finding_under_the_right_answer(
    study: StudyResult, drawn: Finding
) -> None:
    [image] = study.images
    other = a_study(an_image(image.path, done(drawn)))
    marks = build_capture(other.images[0], a_film(), other).ds

    def exchange(ds: Dataset) -> None:
        length = ds.Rows * ds.Columns * 3
        below = (ds.Rows - marks.Rows) + band_rows(BAND, columns=ds.Columns)
        start = length - (ds.Rows - below) * ds.Columns * 3
        taken = marks.Rows * marks.Columns * 3
        film = marks.PixelData[taken - (length - start) : taken]
        ds.PixelData = ds.PixelData[:start] + film + b"\0" * (length % 2)

    assert_caught(plain_of(study), study, exchange)


def test_gate_takes_no_film_for_a_card_because_it_says_so(study: StudyResult) -> None:
    inverted = build_capture(study.images[0], 1 - a_film(), study)
    said = inverted.ds.DerivationDescription
    inverted.ds.DerivationDescription = said.replace(said.split(".")[0], "Answer on a card")

    with pytest.raises(InvalidObject, match=r"card.*inverted"):
        check(inverted, study)


def test_gate_catches_something_else_than_words_on_a_card(study: StudyResult) -> None:
    card = build_capture(study.images[0], None, study)
    assert_caught(card, study, lambda ds: setattr(ds, "PixelData", b"\0" * len(ds.PixelData)))


@pytest.mark.parametrize(
    "change",
    [np.zeros_like, lambda heat: heat[:, ::-1], lambda heat: heat[::-1]],
    ids=["none", "mirrored", "upside down"],
)
def test_gate_catches_colours_that_are_not_the_evidence(
    study: StudyResult, change: Callable[[NDArray[np.float16]], NDArray[np.float16]]
) -> None:
    other = replace(EVIDENCE, heat_map=change(EVIDENCE.heat_map))
    built = build_heat_map_capture(study.images[0], a_film(), study, [other])

    planted = replace(built, proof=replace(built.proof, evidence=EVIDENCE))

    with pytest.raises(InvalidObject, match="the colours are not the evidence"):
        check(planted, study)
