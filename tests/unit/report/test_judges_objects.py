"""What validators written elsewhere say of presentation states, key objects and heat maps."""

from __future__ import annotations

import subprocess
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.conftest import find_tool
from tests.unit.report.studies import (
    FRACTURE_MODEL,
    PNEUMONIA,
    SourceImage,
    a_display,
    a_finding,
    a_study,
    an_image,
    done,
    write_source,
)
from tests.unit.report.test_judges import complaints
from tests.unit.report.test_key_object import kept
from wetread.domain import Box, SpoolKey
from wetread.report.capture import build_capture
from wetread.report.encode import to_part10
from wetread.report.heat_map import build_heat_map
from wetread.report.key_object import build_key_object
from wetread.report.presentation_state import build_presentation_state
from wetread.report.results import Evidence, StudyResult

SEEN = replace(a_finding(0.87, Box(100, 150, 180, 260, 0.9)), heat_map=SpoolKey("aa/heat.npy"))
# PS3.3 C.8.32.2 has it; the judge's table is older.
QUANTITY = "Unrecognized defined term = <QUANTITY>"
CASES = {
    "limb": SourceImage(),
    "MONOCHROME1": SourceImage(more={"PhotometricInterpretation": "MONOCHROME1"}),
    "chest": SourceImage(body_part="CHEST", laterality=""),
    "window and rescale": SourceImage(
        more={"WindowCenter": "9", "WindowWidth": "99", "RescaleSlope": "2", "RescaleIntercept": "-9"}
    ),
    "oblong": SourceImage(more={"PixelSpacing": ["0.2", "0.1"]}),
    "no spacing": SourceImage(without=("PixelSpacing", "ImagerPixelSpacing")),
    "no body part": SourceImage(without=("BodyPartExamined", "Laterality")),
    "no orientation": SourceImage(without=("PatientOrientation",)),
    "lossy": SourceImage(more={"LossyImageCompression": "01", "LossyImageCompressionRatio": "10"}),
    "Japanese": SourceImage(
        character_set=["", "ISO 2022 IR 87"], patient_name="Yamada^Tarou=山田^太郎=やまだ^たろう"
    ),
    "Cyrillic": SourceImage(character_set="ISO_IR 144", patient_name="Иванов^Пётр"),
}


def a_read_study(folder: Path, source: SourceImage) -> StudyResult:
    """One image with a positive and a doubtful box."""
    doubtful = a_finding(0.4, Box(300, 400, 420, 520, 0.4), code=PNEUMONIA, label="Pneumonia")
    return a_study(an_image(write_source(folder, source), done(SEEN, doubtful)))


@pytest.mark.parametrize("source", CASES.values(), ids=CASES)
def test_dciodvfy_finds_nothing_in_the_objects_beside_report_and_capture(
    tmp_path: Path, source: SourceImage
) -> None:
    tool, study = find_tool("dciodvfy"), a_read_study(tmp_path, source)
    (image,) = study.images

    built = (
        build_presentation_state(image, study),
        build_key_object(study, [kept(build_capture(image, a_display(), study))]),
        build_heat_map(image, study, Evidence(FRACTURE_MODEL, SEEN, np.full((7, 5), 0.5, np.float16))),
    )

    for one in built:
        said = complaints(tool, to_part10(one.ds), tmp_path)
        assert [line for line in said if QUANTITY not in line] == []


# This judge takes every byte of UTF-8 above 127 for an error in a name.
IN_ASCII = {name: source for name, source in CASES.items() if source.patient_name.isascii()}


@pytest.mark.parametrize("source", IN_ASCII.values(), ids=IN_ASCII)
def test_dcmpschk_passes_a_presentation_state(tmp_path: Path, source: SourceImage) -> None:
    tool, study = find_tool("dcmpschk"), a_read_study(tmp_path, source)
    path = tmp_path / "state"
    path.write_bytes(to_part10(build_presentation_state(study.images[0], study).ds))

    ran = subprocess.run([tool, str(path)], capture_output=True, check=False)

    said = (ran.stdout + ran.stderr).decode(errors="replace")
    assert ran.returncode == 0, said
    assert "Test passed" in said
