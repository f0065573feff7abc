"""What validators written elsewhere say of the objects."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.conftest import find_tool
from tests.unit.report.studies import (
    PNEUMONIA_MODEL,
    SourceImage,
    a_display,
    a_finding,
    a_heat_map,
    a_study,
    an_image,
    declined,
    done,
    failed,
    write_source,
)
from wetread.domain import Analysis, Box
from wetread.report.capture import build_capture, build_heat_map_capture
from wetread.report.comprehensive import as_comprehensive
from wetread.report.encode import to_part10
from wetread.report.results import Evidence, Predecessor
from wetread.report.structured_report import build_report

BOX, OTHER_BOX = Box(100, 150, 180, 260, 0.9), Box(300, 400, 420, 520, 0.7)
KNOWN = (
    # In the standard (PS3.3 table C.12-1) and asked by IHE's profile AI Results; the judge's table is older.
    "/DeviceUID(0018,1002)> - Attribute is not present in standard DICOM IOD",
    # It is unknown: the source states neither side nor body part, and a presentation state must say so.
    "</Laterality(0020,0060)> - is only permitted to be empty when actually unknown",
)


@pytest.fixture
def dciodvfy() -> str:
    """The validator of Debian's dicom3tools."""
    return find_tool("dciodvfy")


def complaints(tool: str, data: bytes, folder: Path) -> list[str]:
    """Errors and warnings on one object; the exit status says nothing."""
    path = folder / "judged.dcm"
    path.write_bytes(data)
    ran = subprocess.run([tool, "-new", str(path)], capture_output=True, check=False)
    lines = (ran.stdout + ran.stderr).decode(errors="replace").splitlines()
    judged = [line for line in lines if line.startswith(("Error", "Warning", "Abort"))]
    return [line for line in judged if not any(known in line for known in KNOWN)]


CASES: dict[str, tuple[SourceImage, tuple[Analysis, ...]]] = {
    "two boxes": (SourceImage(), (done(a_finding(0.87, BOX, OTHER_BOX)),)),
    "doubtful": (SourceImage(), (done(a_finding(0.4, BOX)),)),
    "no finding": (SourceImage(), (done(a_finding(0.03)),)),
    "not evaluable": (SourceImage(), (declined("body_part_out_of_scope", "body part out of scope"),)),
    "one network failed": (
        SourceImage(),
        (done(a_finding(0.4, BOX)), failed("pixels_undecodable", "cannot be decoded", model=PNEUMONIA_MODEL)),
    ),
    "chest": (SourceImage(body_part="CHEST", laterality=""), (done(a_finding(0.03), model=PNEUMONIA_MODEL),)),
    "no body part": (SourceImage(without=("BodyPartExamined", "Laterality")), (done(a_finding(0.03)),)),
    "both sides": (
        SourceImage(without=("Laterality",), more={"ImageLaterality": "B"}),
        (done(a_finding(0.03)),),
    ),
    "no orientation": (SourceImage(without=("PatientOrientation",)), (done(a_finding(0.03)),)),
    "no spacing": (SourceImage(without=("PixelSpacing", "ImagerPixelSpacing")), (done(a_finding(0.03)),)),
    "Japanese": (
        SourceImage(
            character_set=["", "ISO 2022 IR 87"], patient_name="Yamada^Tarou=山田^太郎=やまだ^たろう"
        ),
        (done(a_finding(0.87, BOX)),),
    ),
    "Cyrillic": (
        SourceImage(character_set="ISO_IR 144", patient_name="Иванов^Пётр"),
        (done(a_finding(0.87, BOX)),),
    ),
}


@pytest.mark.parametrize(("source", "analyses"), CASES.values(), ids=CASES)
def test_dciodvfy_finds_nothing_in_report_and_capture(
    tmp_path: Path, dciodvfy: str, source: SourceImage, analyses: tuple[Analysis, ...]
) -> None:
    study = a_study(an_image(write_source(tmp_path, source), *analyses))

    built = build_report(study)
    report, comprehensive = (to_part10(form.ds) for form in (built, as_comprehensive(built)))
    capture = to_part10(build_capture(study.images[0], a_display(), study).ds)

    assert complaints(dciodvfy, report, tmp_path) == []
    assert complaints(dciodvfy, comprehensive, tmp_path) == []
    assert complaints(dciodvfy, capture, tmp_path) == []


@pytest.mark.parametrize("case", ["two boxes", "doubtful", "no finding", "chest", "no spacing", "Japanese"])
def test_dciodvfy_finds_nothing_in_a_heat_map_capture(tmp_path: Path, dciodvfy: str, case: str) -> None:
    source, (analysis,) = CASES[case]
    study = a_study(an_image(write_source(tmp_path, source), analysis))
    evidence = Evidence(analysis.model, analysis.findings[0], a_heat_map())

    capture = build_heat_map_capture(study.images[0], a_display(), study, [evidence])

    assert complaints(dciodvfy, to_part10(capture.ds), tmp_path) == []


def test_dciodvfy_finds_nothing_in_a_card(tmp_path: Path, dciodvfy: str) -> None:
    image = an_image(
        write_source(tmp_path, SourceImage()), failed("pixels_missing", "the object holds no pixels")
    )
    study = a_study(image)

    card = to_part10(build_capture(image, None, study).ds)

    assert complaints(dciodvfy, card, tmp_path) == []


def test_dciodvfy_finds_nothing_in_a_second_revision_of_two_views(tmp_path: Path, dciodvfy: str) -> None:
    front = an_image(write_source(tmp_path, SourceImage(name="front")), done(a_finding(0.87, BOX)))
    side = an_image(write_source(tmp_path, SourceImage(name="side")), done(a_finding(0.03)))
    first = build_report(a_study(front)).ds
    earlier = Predecessor(first.SOPClassUID, first.SOPInstanceUID, first.SeriesInstanceUID)

    second = build_report(a_study(front, side, revision=2, predecessor=earlier))

    assert complaints(dciodvfy, to_part10(second.ds), tmp_path) == []
    assert complaints(dciodvfy, to_part10(as_comprehensive(second).ds), tmp_path) == []
