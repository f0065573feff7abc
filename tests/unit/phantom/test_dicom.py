from __future__ import annotations

import subprocess
from datetime import datetime
from pathlib import Path

import numpy as np
import pytest
from pydicom import dcmread
from pydicom.dataset import FileDataset
from pydicom.uid import CTImageStorage, DigitalXRayImageStorageForPresentation, RLELossless

from tests.conftest import find_tool
from wetread.phantom.chest import draw_chest
from wetread.phantom.dicom import DemoCase, Truth, demo_set, to_dataset
from wetread.phantom.film import Phantom
from wetread.phantom.limb import draw_limb


@pytest.fixture(scope="module")
def cases() -> list[DemoCase]:
    return demo_set("test")


def _dataset(phantom: Phantom, *, photometric: str = "MONOCHROME2") -> FileDataset:
    return to_dataset(
        phantom,
        study_uid="2.25.1",
        series_uid="2.25.2",
        instance_uid="2.25.3",
        patient_id="PHANTOM-1",
        accession="QC1",
        photometric=photometric,
    )


def _errors_of(path: Path) -> list[str]:
    judged = subprocess.run(["dciodvfy", "-new", str(path)], capture_output=True, text=True, check=False)
    return [line for line in (judged.stdout + judged.stderr).splitlines() if line.startswith("Error")]


def test_dataset_gives_the_pixels_back_when_read_from_disk(tmp_path: Path) -> None:
    phantom = draw_limb(1, broken=True, rows=256, columns=208)

    _dataset(phantom).save_as(tmp_path / "limb.dcm", enforce_file_format=True)
    read = dcmread(tmp_path / "limb.dcm")

    assert read.SOPClassUID == DigitalXRayImageStorageForPresentation
    assert (read.BitsStored, read.PhotometricInterpretation) == (12, "MONOCHROME2")
    assert read.BodyPartExamined == phantom.body_part
    assert np.array_equal(read.pixel_array, phantom.pixels)


def test_dataset_stores_the_complement_when_monochrome1() -> None:
    phantom = draw_chest(1, opacity=False, rows=256, columns=256)

    ds = _dataset(phantom, photometric="MONOCHROME1")

    assert ds.PresentationLUTShape == "INVERSE"
    assert np.array_equal(4095 - ds.pixel_array, phantom.pixels)


def test_demo_set_holds_every_kind_of_case(cases: list[DemoCase]) -> None:
    classes = {case.ds.SOPClassUID for case in cases}
    studies = [case.ds.StudyInstanceUID for case in cases]

    assert {case.expected for case in cases} == set(Truth)
    assert classes == {DigitalXRayImageStorageForPresentation, CTImageStorage}
    assert len(studies) - len(set(studies)) == 1
    assert any(case.ds.PhotometricInterpretation == "MONOCHROME1" for case in cases)
    assert all(str(case.ds.PatientName).startswith("PHANTOM^") for case in cases)


def test_demo_set_decompresses_to_what_was_drawn(cases: list[DemoCase], tmp_path: Path) -> None:
    (case,) = [case for case in cases if case.ds.file_meta.TransferSyntaxUID == RLELossless]

    case.ds.save_as(tmp_path / "rle.dcm", enforce_file_format=True)
    read = dcmread(tmp_path / "rle.dcm")

    assert np.array_equal(read.pixel_array, case.phantom.pixels)


def test_demo_set_marks_a_lesion_exactly_where_one_is_expected(cases: list[DemoCase]) -> None:
    has_lesion = {case.title: bool(case.phantom.boxes) for case in cases}
    is_expected = {case.title: case.expected in (Truth.FRACTURE, Truth.OPACITY) for case in cases}

    assert has_lesion == is_expected


def test_demo_set_makes_the_same_studies_only_when_the_root_is_the_same(cases: list[DemoCase]) -> None:
    again = {case.ds.SOPInstanceUID for case in demo_set("test")}
    other = {case.ds.SOPInstanceUID for case in demo_set("other", taken_at=datetime(2026, 2, 1))}
    first = {case.ds.SOPInstanceUID for case in cases}

    assert len(first) == len(cases)
    assert first == again
    assert not first & other


def test_demo_set_is_clean_in_dciodvfy(cases: list[DemoCase], tmp_path: Path) -> None:
    find_tool("dciodvfy")
    errors: dict[str, list[str]] = {}
    for number, case in enumerate(cases):
        path = tmp_path / f"{number}.dcm"
        case.ds.save_as(path, enforce_file_format=True)
        errors[f"{number} {case.title}"] = _errors_of(path)

    assert {title: found for title, found in errors.items() if found} == {}
