"""The shipped guard keeps its promise on real films: few in scope turned away, nearly all others caught."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from wetread.errors import Rejected
from wetread.infer.bundle import load_bundles
from wetread.infer.decode import read_image
from wetread.infer.engine import Engine
from wetread.infer.guard import Guard
from wetread.infer.prepare import to_display
from wetread.phantom.dicom import Truth, demo_set

_MODELS = Path(__file__).parents[2] / "models"
_FILMS = 75
_MOST_TURNED_AWAY, _LEAST_CAUGHT = 0.05, 0.95
# Which model reads which folder of the data.
_READERS = {"chest": "pneumonia", "fracture": "fracture"}
_OTHER = {"chest": "fracture", "fracture": "pneumonia"}
# Files of the DICOM set whose pixels show what no model reads, however they are labelled.
_STRANGE_FILES = (
    "chest_PA_rsna_fake_mono1",
    "chest_dx_rentgenprom_J2K_16bit_SCRUBBED",
    "cr_agfa_16x16_cspine",
    "cr_modality_lut_sequence_jpegll",
    "cr_test_signed16_synthetic",
    "dx_fuji_small_8bit_mono1",
    "mg_ge_voilut_sequence_jpegll",
    "mg_siemens_overlay_out_of_bounds",
    "rf_siemens",
    "xa_WG04_J2K",
)
Display = NDArray[np.float32]


class Asked:
    """The shipped guard, asked on behalf of the shipped models."""

    def __init__(self, engine: Engine, guard: Guard) -> None:
        self._engine, self._guard = engine, guard
        self._ids = {bundle.id.name: bundle.id for bundle in load_bundles(_MODELS)}

    def reason(self, model: str, display: Display) -> str:
        """Why the model does not read this picture; '' when it does."""
        try:
            self._guard.check(self._ids[model], np.ascontiguousarray(display))
        except Rejected as error:
            return error.code
        return ""


@pytest.fixture(scope="module")
def guard() -> Iterator[Asked]:
    bundles = load_bundles(_MODELS)
    asked = [bundle for bundle in bundles if bundle.manifest.is_guard]
    with Engine(asked, threads=1) as engine:
        yield Asked(engine, Guard(engine, bundles))


def films(test_data: Path, folder: str) -> list[Display]:
    """Films of the internal test set, evenly over the manifest."""
    with (test_data / folder / "manifest.csv").open(encoding="utf-8", newline="") as file:
        names = [row["file"] for row in csv.DictReader(file) if row["split"] == "internal_test"]
    chosen = names[:: len(names) // _FILMS][:_FILMS]
    images = [cv2.imread(str(test_data / folder / name), cv2.IMREAD_GRAYSCALE) for name in chosen]
    return [np.asarray(image, np.float32) / np.float32(255) for image in images]


@pytest.mark.parametrize("folder", ["chest", "fracture"])
def test_few_films_in_scope_are_turned_away(test_data: Path, guard: Asked, folder: str) -> None:
    shown = films(test_data, folder)

    away = [reason for film in shown if (reason := guard.reason(_READERS[folder], film))]

    assert len(away) / len(shown) <= _MOST_TURNED_AWAY, away


@pytest.mark.parametrize("folder", ["chest", "fracture"])
def test_nearly_all_films_of_the_other_part_are_caught(test_data: Path, guard: Asked, folder: str) -> None:
    shown = films(test_data, folder)

    caught = [film for film in shown if guard.reason(_OTHER[folder], film)]

    assert len(caught) / len(shown) >= _LEAST_CAUGHT


@pytest.mark.parametrize("folder", ["chest", "fracture"])
def test_nearly_all_inverted_films_are_caught(test_data: Path, guard: Asked, folder: str) -> None:
    shown = films(test_data, folder)

    caught = [film for film in shown if guard.reason(_READERS[folder], 1 - film)]

    assert len(caught) / len(shown) >= _LEAST_CAUGHT


def test_nearly_all_turned_chests_are_caught(test_data: Path, guard: Asked) -> None:
    turned = [np.rot90(film, 1 + number % 3) for number, film in enumerate(films(test_data, "chest"))]

    caught = [film for film in turned if guard.reason("pneumonia", film)]

    assert len(caught) / len(turned) >= _LEAST_CAUGHT


@pytest.mark.parametrize("model", ["fracture", "pneumonia"])
def test_files_that_show_something_else_are_caught_whatever_their_header_says(
    test_data: Path, guard: Asked, model: str
) -> None:
    shown = {name: to_display(read_image(test_data / "dicom" / f"{name}.dcm")) for name in _STRANGE_FILES}

    passed = [name for name, display in shown.items() if not guard.reason(model, display)]

    assert passed == []


def test_every_radiograph_of_the_demo_passes(guard: Asked, tmp_path: Path) -> None:
    for number, case in enumerate(demo_set()):
        path = tmp_path / f"{number}.dcm"
        case.ds.save_as(path, enforce_file_format=True)
        model = {"CHEST": "pneumonia"}.get(case.phantom.body_part, "fracture")
        is_read = case.expected is not Truth.NOT_A_RADIOGRAPH

        reason = guard.reason(model, to_display(read_image(path)))

        assert not (is_read and reason), f"{case.title}: {reason}"
