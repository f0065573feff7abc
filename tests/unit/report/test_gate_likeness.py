"""Films the gate must pass, and films under the right answer that are not the source's."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pydicom
import pytest
from numpy.typing import NDArray
from pydicom.dataset import Dataset
from pydicom.uid import RLELossless

from tests.unit.report.studies import SourceImage, a_study, an_image, done, write_source
from tests.unit.report.test_gate_capture import EVIDENCE, FOUND, a_film
from wetread.errors import InvalidObject
from wetread.pipeline.film import Film
from wetread.report.capture import build_capture, build_heat_map_capture
from wetread.report.gate import check
from wetread.report.overlay import Display
from wetread.report.results import StudyResult

WINDOW = {"WindowCenter": "2000", "WindowWidth": "2400"}
ROWS, COLUMNS = 1000, 800


def compressed(folder: Path, **more: object) -> StudyResult:
    """A study of one film in RLE, which the gate does not decode."""
    path = write_source(folder, SourceImage(more={"PixelData": film_bytes()} | more))
    ds = pydicom.dcmread(path)
    ds.compress(RLELossless)
    ds.save_as(path, overwrite=True)
    return a_study(an_image(path, done(FOUND)))


def film_bytes() -> bytes:
    return (a_film() * 4095).astype("<u2").tobytes()


def a_table(step: int) -> Dataset:
    """A modality LUT of 12 bits that rises, or falls."""
    table = Dataset()
    table.LUTDescriptor, table.ModalityLUTType = [4096, 0, 16], "US"
    table["LUTDescriptor"].VR = "US"
    table.LUTData = np.arange(4096, dtype="<u2")[::step].tobytes()
    table["LUTData"].VR = "OW"
    return table


def a_finger(part: float) -> NDArray[np.float64]:
    """Bright, on air that is noise alone: `part` of the plate, 12 bits."""
    rng = np.random.default_rng(0)
    plate = rng.normal(300, 8, (ROWS, COLUMNS))
    high = int(np.sqrt(part * ROWS * COLUMNS * 4))
    x = np.arange(high // 4)
    finger = 1500 + 1500 * np.exp(-(((x - high / 8) / (high / 16)) ** 2))
    plate[400 : 400 + high, 250 : 250 + high // 4] = finger + rng.normal(0, 20, (high, high // 4))
    return np.clip(plate, 0, 4095)


def study_of(folder: Path, values: NDArray[np.float64], **more: object) -> StudyResult:
    rows, columns = values.shape
    more = {"PixelData": values.astype("<u2").tobytes()} | more
    path = write_source(folder, SourceImage(rows=rows, columns=columns, more=more))
    return a_study(an_image(path, done(FOUND)))


@pytest.mark.parametrize("max_side", [2048, 300])
@pytest.mark.parametrize("window", [WINDOW, {}], ids=["window", "no window"])
@pytest.mark.parametrize("is_negative", [False, True], ids=["MONOCHROME2", "MONOCHROME1"])
@pytest.mark.parametrize("part", [0.003, 0.01, 0.02, 0.08])
def test_gate_passes_a_small_bright_object_on_air(
    tmp_path: Path, part: float, is_negative: bool, window: dict[str, str], max_side: int
) -> None:
    values = a_finger(part)
    more: dict[str, object] = dict(window)
    if is_negative:
        values = 4095 - values
        more |= {"PhotometricInterpretation": "MONOCHROME1"} | ({"WindowCenter": "2095"} if window else {})
    study = study_of(tmp_path, values, **more)
    image, display = study.images[0], Film(study.images[0]).display

    plain = build_capture(image, display, study, max_side=max_side)
    coloured = build_heat_map_capture(image, display, study, [EVIDENCE], max_side=max_side)

    check(plain, study)
    check(coloured, study)


@pytest.mark.parametrize("window", [("2000", "600"), ("1500", "2000"), ("3500", "100"), ("400", "200")])
def test_gate_passes_a_window_that_clips_most_of_the_film(tmp_path: Path, window: tuple[str, str]) -> None:
    rng = np.random.default_rng(1)
    values = np.clip(a_film() * 3600 + rng.normal(0, 60, (600, 480)), 0, 4095)
    study = study_of(tmp_path, values, WindowCenter=window[0], WindowWidth=window[1])

    built = build_capture(study.images[0], Film(study.images[0]).display, study)

    check(built, study)


@pytest.mark.parametrize("is_negative", [False, True], ids=["MONOCHROME2", "MONOCHROME1"])
@pytest.mark.parametrize(
    ("change", "why"),
    [
        (lambda film: 1 - film, "inverted"),
        (lambda film: film[:, ::-1], "turned or mirrored|another image"),
        (lambda film: film[::-1], "turned or mirrored|another image"),
        (lambda film: np.roll(film, 250, axis=0), "beside its place|another image"),
    ],
    ids=["inverted", "mirrored", "upside down", "rolled"],
)
def test_gate_catches_a_small_bright_object_that_is_not_where_it_was(
    tmp_path: Path, change: Callable[[Display], Display], why: str, is_negative: bool
) -> None:
    values = a_finger(0.01)
    more: dict[str, object] = dict(WINDOW)
    if is_negative:
        values = 4095 - values
        more |= {"PhotometricInterpretation": "MONOCHROME1", "WindowCenter": "2095"}
    study = study_of(tmp_path, values, **more)
    display = np.ascontiguousarray(change(Film(study.images[0]).display))

    built = build_capture(study.images[0], display, study)

    with pytest.raises(InvalidObject, match=why):
        check(built, study)


LOOKS: dict[str, Callable[[Display], Display]] = {
    "inverted": lambda film: 1 - film,
    "mirrored": lambda film: film[:, ::-1],
    "of noise": lambda film: np.random.default_rng(3).random(film.shape, np.float32),
}
DISPLACED: dict[str, Callable[[Display], Display]] = {
    "rolled down": lambda film: np.roll(film, 60, axis=0),
    "rolled by a little": lambda film: np.roll(film, 24, axis=0),
    "rolled sideways": lambda film: np.roll(film, 20, axis=1),
    "of noise": lambda film: np.random.default_rng(3).random(film.shape, np.float32),
}


@pytest.mark.parametrize("change", DISPLACED.values(), ids=DISPLACED)
def test_gate_catches_a_film_beside_its_place(tmp_path: Path, change: Callable[[Display], Display]) -> None:
    limb = (a_film() * 4095).astype(np.float64)
    limb[100:200, 200:260] += 300
    limb = np.clip(limb, 0, 4095)
    study = study_of(tmp_path, limb)

    built = build_capture(study.images[0], change((limb / 4095).astype(np.float32)), study)

    with pytest.raises(InvalidObject, match=r"beside its place|another image"):
        check(built, study)


def test_gate_catches_a_film_of_which_only_the_middle_is_shown(tmp_path: Path) -> None:
    limb = (a_film() * 4095).astype(np.float64)
    study = study_of(tmp_path, limb)
    rows = np.linspace(45, 554, 600).astype(int)
    columns = np.linspace(36, 443, 480).astype(int)

    built = build_capture(study.images[0], a_film()[np.ix_(rows, columns)], study)

    with pytest.raises(InvalidObject, match="beside its place"):
        check(built, study)


@pytest.mark.parametrize("change", [*LOOKS.values()], ids=LOOKS)
@pytest.mark.parametrize(
    "more",
    [{}, {"PhotometricInterpretation": "MONOCHROME1"}, {"RescaleSlope": "-1", "RescaleIntercept": "4095"}],
    ids=["plain", "MONOCHROME1", "falling slope"],
)
def test_gate_catches_another_look_of_a_compressed_source(
    tmp_path: Path, more: dict[str, object], change: Callable[[Display], Display]
) -> None:
    study = compressed(tmp_path, **more)
    assert_look_is_caught(study, change)


@pytest.mark.parametrize("change", [*LOOKS.values()], ids=LOOKS)
@pytest.mark.parametrize("step", [1, -1], ids=["rising", "falling"])
def test_gate_catches_another_look_of_a_source_with_a_table(
    tmp_path: Path, step: int, change: Callable[[Display], Display]
) -> None:
    more = {"PixelData": film_bytes(), "ModalityLUTSequence": [a_table(step)]}
    study = a_study(an_image(write_source(tmp_path, SourceImage(more=more)), done(FOUND)))
    assert_look_is_caught(study, change)


def assert_look_is_caught(study: StudyResult, change: Callable[[Display], Display]) -> None:
    image, film = study.images[0], Film(study.images[0])
    check(film.with_proof(build_capture(image, film.display, study)), study)
    changed = np.ascontiguousarray(change(film.display))

    built = film.with_proof(build_capture(image, changed, study))

    with pytest.raises(InvalidObject, match="the picture"):
        check(built, study)
