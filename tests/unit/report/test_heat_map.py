"""A heat map as numbers: its values, its place over the image, its meaning."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from pydicom.dataset import Dataset

from tests.unit.report.studies import (
    FRACTURE_MODEL,
    PNEUMONIA,
    PNEUMONIA_MODEL,
    SourceImage,
    a_finding,
    a_study,
    an_image,
    done,
    write_source,
)
from wetread.domain import Box, SpoolKey
from wetread.report.encode import to_part10
from wetread.report.gate import check
from wetread.report.heat_map import build_heat_map
from wetread.report.results import Evidence, ImageResult

FRACTURE_SEEN = replace(a_finding(0.87, Box(100, 150, 180, 260, 0.9)), heat_map=SpoolKey("aa/f.npy"))
PNEUMONIA_SEEN = replace(a_finding(0.4, code=PNEUMONIA, label="Pneumonia"), heat_map=SpoolKey("aa/p.npy"))


def some_heat(rows: int = 30, columns: int = 20) -> NDArray[np.float16]:
    return np.linspace(0, 1, rows * columns, dtype=np.float16).reshape(rows, columns)


def read_image(folder: Path, source: SourceImage | None = None) -> ImageResult:
    return an_image(
        write_source(folder, source or SourceImage()),
        done(FRACTURE_SEEN),
        done(PNEUMONIA_SEEN, model=PNEUMONIA_MODEL),
    )


def map_of(image: ImageResult, heat: NDArray[np.float16] | None = None) -> Dataset:
    """The fracture network's map, which the gate passes."""
    study = a_study(image)
    built = build_heat_map(
        image, study, Evidence(FRACTURE_MODEL, FRACTURE_SEEN, some_heat() if heat is None else heat)
    )
    check(built, study)
    return built.ds


def values_of(ds: Dataset) -> NDArray[np.float32]:
    return np.frombuffer(ds.FloatPixelData, "<f4").reshape(ds.Rows, ds.Columns)


def test_values_are_the_networks_own_in_its_resolution(tmp_path: Path) -> None:
    ds = map_of(read_image(tmp_path))

    np.testing.assert_array_equal(values_of(ds), some_heat().astype(np.float32))


def test_values_that_are_no_number_or_out_of_range_are_put_into_it(tmp_path: Path) -> None:
    heat = np.array([[np.nan, 2.0], [-1.0, 0.5]], np.float16)

    ds = map_of(read_image(tmp_path), heat)

    assert values_of(ds).tolist() == [[0, 1], [0, 0.5]]


@pytest.mark.parametrize(
    ("source", "spacing"),
    [
        (SourceImage(), (0.14, 0.14)),
        (SourceImage(more={"PixelSpacing": ["0.2", "0.1"]}), (0.2, 0.1)),
        (SourceImage(without=("PixelSpacing", "ImagerPixelSpacing")), (1.0, 1.0)),
        (SourceImage(without=("PixelSpacing",), more={"ImagerPixelSpacing": ["0.3", "0.2"]}), (1.5, 1.0)),
    ],
    ids=["square", "oblong", "no spacing", "shape only"],
)
def test_map_covers_the_whole_image_in_the_surrogate_plane(
    tmp_path: Path, source: SourceImage, spacing: tuple[float, float]
) -> None:
    ds = map_of(read_image(tmp_path, source))

    tall, wide = ds.SharedFunctionalGroupsSequence[0].PixelMeasuresSequence[0].PixelSpacing
    x, y, z = ds.PerFrameFunctionalGroupsSequence[0].PlanePositionSequence[0].ImagePositionPatient
    # The outer corner of the image's first pixel is half a pixel before the origin.
    assert (x - wide / 2, y - tall / 2, z) == pytest.approx((-spacing[1] / 2, -spacing[0] / 2, 0))
    assert (wide * 20, tall * 30) == pytest.approx((480 * spacing[1], 600 * spacing[0]))


def test_map_states_that_its_place_is_a_surrogate(tmp_path: Path) -> None:
    ds = map_of(read_image(tmp_path))

    said = ds.PerFrameFunctionalGroupsSequence[0].DerivationImageSequence[0].DerivationDescription

    assert said.startswith("Surrogate geometry: ")
    assert said.endswith("AI result, research use only, not for primary diagnosis.")


def test_two_maps_of_an_image_are_two_objects_with_two_numbers(tmp_path: Path) -> None:
    image = read_image(tmp_path)
    study = a_study(image)

    first = build_heat_map(image, study, Evidence(FRACTURE_MODEL, FRACTURE_SEEN, some_heat()))
    second = build_heat_map(image, study, Evidence(PNEUMONIA_MODEL, PNEUMONIA_SEEN, some_heat()))

    for built in (first, second):
        check(built, study)
    assert first.ds.SOPInstanceUID != second.ds.SOPInstanceUID
    assert (first.ds.InstanceNumber, second.ds.InstanceNumber) == (101, 102)


def test_same_evidence_gives_the_same_bytes(tmp_path: Path) -> None:
    image = read_image(tmp_path)

    assert to_part10(map_of(image)) == to_part10(map_of(image))


@pytest.mark.parametrize(
    ("source", "is_said"),
    [
        (SourceImage(), False),
        (SourceImage(without=("PixelSpacing",)), True),
        (SourceImage(more={"PixelSpacing": ["0", "0"]}), True),
    ],
    ids=["spacing", "none", "zero"],
)
def test_map_says_that_its_size_in_millimetres_is_a_surrogate_where_the_source_states_none(
    tmp_path: Path, source: SourceImage, is_said: bool
) -> None:
    ds = map_of(read_image(tmp_path, source))

    [derivation] = ds.PerFrameFunctionalGroupsSequence[0].DerivationImageSequence
    assert ("1 mm across a pixel" in derivation.DerivationDescription) == is_said
