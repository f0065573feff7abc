"""The heat map capture: a colour only where there is evidence, and words that say what it means."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path

import numpy as np
import pydicom
import pytest
from numpy.typing import NDArray
from pydicom.dataset import Dataset

from tests.unit.report.studies import (
    FRACTURE_MODEL,
    PNEUMONIA,
    PNEUMONIA_MODEL,
    SourceImage,
    a_display,
    a_finding,
    a_heat_map,
    a_study,
    an_image,
    done,
    write_source,
)
from wetread.domain import Box, Finding
from wetread.report.band import PAPER, band_of, band_rows
from wetread.report.capture import build_capture, build_heat_map_capture
from wetread.report.encode import to_part10
from wetread.report.gate import check
from wetread.report.legend import legend_of, legend_rows
from wetread.report.results import BuiltObject, Evidence, StudyResult
from wetread.report.tint import LEAST_EVIDENCE

BOX = Box(100, 150, 180, 260, 0.9)
FOUND = a_finding(0.87, BOX)
EVIDENCE = Evidence(FRACTURE_MODEL, FOUND, a_heat_map())


def study_of(folder: Path, image: SourceImage | None = None, *, revision: int = 1) -> StudyResult:
    path = write_source(folder, image or SourceImage())
    return a_study(an_image(path, done(FOUND)), revision=revision)


def built_of(
    study: StudyResult, *evidence: Evidence, max_side: int = 2048, max_bytes: int = 13_000_000
) -> BuiltObject:
    header = study.images[0].instance.header
    return build_heat_map_capture(
        study.images[0],
        a_display(header.Rows, header.Columns),
        study,
        evidence or (EVIDENCE,),
        max_side=max_side,
        max_bytes=max_bytes,
    )


def read_back(built: BuiltObject, study: StudyResult) -> Dataset:
    """Check, encode and decode again."""
    check(built, study)
    return pydicom.dcmread(BytesIO(to_part10(built.ds)))


def film_in(ds: Dataset, study: StudyResult) -> NDArray[np.int64]:
    """The rows between band and legend."""
    top = band_rows(band_of(study.images[0]), columns=ds.Columns)
    foot = legend_rows(legend_of(EVIDENCE), columns=ds.Columns)
    return ds.pixel_array[top : ds.Rows - foot].astype(np.int64)


def test_heat_map_capture_stands_beside_the_capture_in_a_series_of_its_own(tmp_path: Path) -> None:
    study = study_of(tmp_path)
    plain = build_capture(study.images[0], a_display(), study).ds

    ds = read_back(built_of(study), study)

    assert ds.SOPClassUID.name == "Secondary Capture Image Storage"
    assert ds.SOPInstanceUID != plain.SOPInstanceUID
    assert ds.SeriesInstanceUID != plain.SeriesInstanceUID
    assert ds.SeriesNumber == 9904
    assert ds.SeriesDescription == "AI heat map (Wetread), research use only"
    assert ds.SourceImageSequence == plain.SourceImageSequence


def test_heat_map_capture_says_the_answer_and_whose_evidence_it_shows(tmp_path: Path) -> None:
    study = study_of(tmp_path)

    ds = read_back(built_of(study), study)

    assert ds.ImageComments == "FRACTURE SUSPECTED 87 %. Heat map: Fracture, fracture 1.0.0"
    assert "evidence found by network fracture 1.0.0, not a probability." in ds.DerivationDescription
    assert "research use only" in ds.DerivationDescription


def test_heat_map_capture_colours_the_evidence_and_leaves_the_rest_of_the_film_grey(tmp_path: Path) -> None:
    study = study_of(tmp_path)

    ds = read_back(built_of(study), study)

    film = film_in(ds, study)
    spread = np.ptp(film, axis=-1)
    rows, columns = spread.shape
    assert spread[round(rows * 0.3), round(columns * 0.3)] > 30
    assert not spread[rows // 2 :].any()
    assert not spread[:, columns // 2 :].any()


def test_heat_map_capture_keeps_the_film_visible_under_the_strongest_evidence(tmp_path: Path) -> None:
    study = study_of(tmp_path)
    everywhere = Evidence(FRACTURE_MODEL, FOUND, np.ones((20, 16), np.float16))

    film = film_in(read_back(built_of(study, everywhere), study), study)

    shown = film.mean(axis=-1)[len(film) // 2]
    expected = np.interp(np.linspace(0, 479, len(shown)), np.arange(480), a_display()[300])
    assert np.corrcoef(shown, expected)[0, 1] > 0.98
    assert np.ptp(shown) > 0.4 * 255 * np.ptp(expected)


def test_heat_map_capture_ends_in_a_legend_of_all_colours(tmp_path: Path) -> None:
    study = study_of(tmp_path)

    ds = read_back(built_of(study), study)

    strip = ds.pixel_array[ds.Rows - legend_rows(legend_of(EVIDENCE), columns=ds.Columns) :]
    assert {tuple(strip[0, 0]), tuple(strip[-1, -1])} == {PAPER}
    coloured = np.ptp(strip.astype(int), axis=-1).max(axis=0) > 30
    assert coloured.mean() > 0.5


def test_heat_map_capture_shows_the_finding_that_leads_the_answer(tmp_path: Path) -> None:
    doubtful = a_finding(0.4, code=PNEUMONIA, label="Pneumonia")
    image = an_image(
        write_source(tmp_path, SourceImage()), done(doubtful, model=PNEUMONIA_MODEL), done(FOUND)
    )
    study = a_study(image)
    of_doubtful = Evidence(PNEUMONIA_MODEL, doubtful, a_heat_map())

    built = build_heat_map_capture(image, a_display(), study, [of_doubtful, EVIDENCE])

    check(built, study)
    assert built.ds.ImageComments.endswith("Heat map: Fracture, fracture 1.0.0")


def test_heat_map_capture_of_no_evidence_is_refused(tmp_path: Path) -> None:
    study = study_of(tmp_path)
    stranger: Finding = a_finding(0.5)

    for evidence in ([], [Evidence(FRACTURE_MODEL, stranger, a_heat_map())]):
        with pytest.raises(ValueError, match="no evidence"):
            build_heat_map_capture(study.images[0], a_display(), study, evidence)


def test_heat_map_capture_is_the_same_object_and_bytes_each_time(tmp_path: Path) -> None:
    first, second = study_of(tmp_path), study_of(tmp_path, revision=2)

    encoded = {to_part10(built_of(study).ds) for study in (first, first, second)}

    assert len(encoded) == 1


@pytest.mark.parametrize("max_bytes", [500_000, 2_000_000])
def test_heat_map_capture_spacing_is_scaled_with_the_film(tmp_path: Path, max_bytes: int) -> None:
    study = study_of(tmp_path, SourceImage(rows=3000, columns=2400))

    ds = read_back(built_of(study, max_bytes=max_bytes), study)

    assert len(ds.PixelData) <= max_bytes
    assert ds.PixelSpacing[0] == ds.PixelSpacing[1]
    assert float(ds.PixelSpacing[0]) * len(film_in(ds, study)) == pytest.approx(0.14 * 3000, rel=5e-3)


def test_weak_evidence_is_not_blown_up_into_a_strong_colour(tmp_path: Path) -> None:
    """A network that hardly points anywhere must not look as sure as one that does."""
    study = study_of(tmp_path)
    weak = Evidence(FRACTURE_MODEL, FOUND, (EVIDENCE.heat_map * np.float16(0.2)).astype(np.float16))
    none = Evidence(FRACTURE_MODEL, FOUND, np.full_like(EVIDENCE.heat_map, np.float16(LEAST_EVIDENCE - 0.02)))

    films = [film_in(read_back(built_of(study, item), study), study) for item in (EVIDENCE, weak, none)]

    strong, faint, nothing = (int(np.ptp(film, axis=-1).max()) for film in films)
    assert strong > 1.5 * faint > 0
    assert nothing == 0
