"""Headers that the door accepts and no standard allows: the study gets its answer all the same."""

from __future__ import annotations

import struct
import subprocess
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from pydicom.datadict import dictionary_VR, tag_for_keyword

from tests.conftest import find_tool
from tests.unit.report.studies import (
    FRACTURE_MODEL,
    SourceImage,
    a_display,
    a_finding,
    a_study,
    an_image,
    done,
    failed,
    write_source,
)
from wetread.domain import Box, SpoolKey, StudyUid
from wetread.errors import InvalidObject, Unreadable
from wetread.report.capture import build_capture
from wetread.report.encode import to_part10
from wetread.report.gate import check
from wetread.report.heat_map import build_heat_map
from wetread.report.key_object import build_key_object
from wetread.report.presentation_state import build_presentation_state
from wetread.report.results import Evidence, StudyResult
from wetread.report.structured_report import build_plain_report, build_report

# The bytes of each element, as found on the wire.
ODD: dict[str, tuple[bytes, ...]] = {
    "ImagerPixelSpacing": (b"abc\\def", b"0.4", b"0\\0", b"0.4\\", b"1e400\\1", b"-1\\-1", b"NaN\\NaN"),
    "PixelSpacing": (
        b"abc\\def", b"\\", b"0.1\\0.1\\0.1", b"0,143\\0,143", b"1e300\\1e300", b"1e8\\1", b"\\0.1",
    ),
    "PixelAspectRatio": (b"1\\0", b"a\\b", b"4\\3", b"1", b"99999999999\\1"),
    "InstanceNumber": (b"abc", b"1.0", b"99999999999999", b"1\\2", b"-1", b"", b"\xb2"),
    "PatientAge": (b"45", b"045X"),
    "PatientSize": (b"1,75", b"1.7\\1.8"),
    "PatientWeight": (b"70kg", b"70\\80", b"1.0E+02"),
    "PatientOrientation": (b"L\\F\\x", b"l\\f", b"\\", b"L"),
    "TimezoneOffsetFromUTC": (b"+9900", b"-2400", b"+0060", b"Z", b"+2359", b"+1a00", b"+0100\\+0200"),
    "StudyDate": (b"2026.01.05", b"20261345", b"20260105-20260106", b"2026", b"20260101\\20260102"),
    "StudyTime": (b"08:30:00", b"246060", b"083000.1234567"),
    "PatientName": (b"A\\B", b"\xff\xfe", b"A" * 65, b"A=B=C=D", b"A^B^C^D^E^F^G"),
    "PatientID": (b"X" * 65, b"a\\b", b"\x01\x02"),
    "AccessionNumber": (b"A" * 17, b"a\\b"),
    "StudyID": (b"a\\b",),
    "PatientBirthDate": (b"19800000", b"1980/01/01"),
    "PatientSex": (b"male", b"M\\F"),
    "BodyPartExamined": (b"hand", b"HAND\\ARM"),
    "Laterality": (b"left", b"R\\L"),
    "LossyImageCompression": (b"YES", b"00\\01"),
    "LossyImageCompressionRatio": (b"abc", b"10\\20"),
    "StudyInstanceUID": (b"1.2.3\\1.2.4",),
    "SeriesInstanceUID": (b"1.2.3\\1.2.4",),
    "SOPInstanceUID": (b"1.2.3\\1.2.4",),
    "SpecificCharacterSet": (b"ISO_IR 999", b"ISO 2022 IR 87", b"\\ISO 2022 IR 87", b"utf-8"),
    "ReferringPhysicianName": (b"A\\B", b"X" * 200),
    "PatientComments": (b"x" * 11000,),
    "OtherPatientNames": (b"A\\B\\C", b"A" * 70 + b"\\B"),
    "StudyDescription": (b"a\\b", b"x" * 100),
    "Rows": (struct.pack("<HH", 300, 300),),
    "ImageLaterality": (b"left", b"R\\L"),
    "WindowCenter": (b"abc", b"1e400", b"\\", b"2048.12345678901234567", b"1,5"),
    "WindowWidth": (b"0", b"-5", b"NaN", b""),
    "VOILUTFunction": (b"CUBIC", b"SIGMOID\\LINEAR", b"linear"),
    "RescaleSlope": (b"0", b"abc", b"1\\2", b"1e308"),
    "RescaleIntercept": (b"abc", b"", b"1e308"),
    "RescaleType": (b"HU\\US", b"x" * 70),
    "BitsStored": (struct.pack("<H", 0), struct.pack("<HH", 12, 12), struct.pack("<H", 99)),
    "PixelRepresentation": (struct.pack("<H", 7), struct.pack("<HH", 1, 0)),
}  # fmt: skip
CASES = [
    pytest.param(keyword, value, id=f"{keyword} {value[:20]!r}") for keyword in ODD for value in ODD[keyword]
]
HOPELESS = {"empty": b"", "no header": b"\x00" * 400, "gone": None}

# The odd values are the point; pydicom warns of some while the test writes or reads them.
pytestmark = pytest.mark.filterwarnings("ignore:.*:UserWarning:pydicom")


def with_bytes(data: bytes, keyword: str, value: bytes) -> bytes:
    """A file, explicit VR little endian, in which one top-level element has these bytes as value."""
    tag = tag_for_keyword(keyword)
    assert tag is not None
    start = data.index(struct.pack("<HH", tag >> 16, tag & 0xFFFF) + dictionary_VR(keyword).encode(), 132)
    length_at, value_at = start + 6, start + 8
    padded = value + b" " * (len(value) % 2)
    form = "<H"
    if dictionary_VR(keyword) in ("OB", "OW", "SQ", "UT"):
        raise AssertionError("only elements with a short length")
    (length,) = struct.unpack(form, data[length_at:value_at])
    return data[:length_at] + struct.pack(form, len(padded)) + padded + data[value_at + length :]


def an_odd_study(folder: Path, keyword: str, value: bytes) -> StudyResult:
    """One image with a box; the file is spoilt after the ledger has read it."""
    valid = {
        "PixelAspectRatio": ["1", "1"], "PatientAge": "045Y", "PatientSize": "1.7", "PatientWeight": "70",
        "TimezoneOffsetFromUTC": "+0100", "LossyImageCompression": "01", "LossyImageCompressionRatio": "10",
        "PatientComments": "x", "OtherPatientNames": "A", "StudyDescription": "x", "ImageLaterality": "L",
        "RescaleType": "US", "VOILUTFunction": "LINEAR",
    }  # fmt: skip
    grey = {"WindowCenter": "2048", "WindowWidth": "3000", "RescaleSlope": "1", "RescaleIntercept": "0"}
    more: dict[str, object] = {**grey, keyword: valid[keyword]} if keyword in valid else {**grey}
    path = write_source(folder, SourceImage(more=more))
    finding = replace(a_finding(0.87, Box(100, 150, 180, 260, 0.9)), heat_map=SpoolKey("aa/heat.npy"))
    image = an_image(path, done(finding))
    path.write_bytes(with_bytes(path.read_bytes(), keyword, value))
    return a_study(image)


@pytest.fixture
def dciodvfy() -> str:
    """The validator of Debian's dicom3tools."""
    return find_tool("dciodvfy")


def errors(tool: str, data: bytes, folder: Path) -> list[str]:
    """What the validator calls an error in one object."""
    path = folder / "judged.dcm"
    path.write_bytes(data)
    ran = subprocess.run([tool, "-new", str(path)], capture_output=True, check=False)
    lines = (ran.stdout + ran.stderr).decode(errors="replace").splitlines()
    known = ("/DeviceUID(0018,1002)> - Attribute is not present in standard DICOM IOD",)
    return [
        line
        for line in lines
        if line.startswith(("Error", "Abort")) and not any(words in line for words in known)
    ]


@pytest.mark.parametrize(("keyword", "value"), CASES)
def test_odd_header_gets_a_valid_report_and_capture(
    tmp_path: Path, dciodvfy: str, keyword: str, value: bytes
) -> None:
    study = an_odd_study(tmp_path, keyword, value)

    report = build_report(study)
    capture = build_capture(study.images[0], a_display(), study, max_side=512)

    check(report, study)
    check(capture, study)
    assert errors(dciodvfy, to_part10(report.ds), tmp_path) == []
    assert errors(dciodvfy, to_part10(capture.ds), tmp_path) == []


@pytest.mark.parametrize(("keyword", "value"), CASES)
def test_odd_header_gets_valid_objects_of_the_other_kinds(
    tmp_path: Path, dciodvfy: str, keyword: str, value: bytes
) -> None:
    study = an_odd_study(tmp_path, keyword, value)
    (image,) = study.images
    seen = Evidence(FRACTURE_MODEL, image.analyses[0].findings[0], np.full((7, 5), 0.5, np.float16))

    built = (
        build_presentation_state(image, study),
        build_key_object(study, []),
        build_heat_map(image, study, seen),
    )

    for one in built:
        check(one, study)
        assert errors(dciodvfy, to_part10(one.ds), tmp_path) == []


@pytest.mark.parametrize("content", HOPELESS.values(), ids=HOPELESS)
def test_plain_report_answers_a_study_whose_header_is_hopeless(
    tmp_path: Path, dciodvfy: str, content: bytes | None
) -> None:
    seen = an_image(
        write_source(tmp_path, SourceImage(name="front")), done(a_finding(0.87, Box(9, 9, 90, 90, 0.9)))
    )
    unseen = an_image(write_source(tmp_path, SourceImage(name="side")), failed("pixels_missing", "no pixels"))
    header = replace(seen.instance.header, PatientID="QC-1", PatientName="Phantom^Quality", PatientSex="male")
    study = a_study(replace(seen, instance=replace(seen.instance, header=header)), unseen)
    intact = build_report(study)
    for image in study.images:
        image.path.unlink()
        if content is not None:
            image.path.write_bytes(content)

    with pytest.raises(Unreadable):
        build_report(study)
    plain = build_plain_report(study)

    check(plain, study)
    assert errors(dciodvfy, to_part10(plain.ds), tmp_path) == []
    assert plain.ds.SeriesInstanceUID == intact.ds.SeriesInstanceUID
    assert (plain.ds.PatientID, str(plain.ds.PatientName)) == ("QC-1", "Phantom^Quality")
    assert not plain.ds.PatientSex


def test_plain_report_leaves_out_an_identifier_that_the_ledger_may_have_cut(tmp_path: Path) -> None:
    image = an_image(write_source(tmp_path, SourceImage()), done(a_finding(0.03)))
    header = replace(image.instance.header, PatientID="X" * 64)
    study = a_study(replace(image, instance=replace(image.instance, header=header)))

    plain = build_plain_report(study)

    assert not plain.ds.PatientID


def test_gate_stops_a_plain_report_with_another_patient(tmp_path: Path) -> None:
    study = a_study(an_image(write_source(tmp_path, SourceImage()), done(a_finding(0.03))))
    plain = build_plain_report(study)
    plain.ds.PatientID = "QC-2"

    with pytest.raises(InvalidObject, match="PatientID differs"):
        check(plain, study)


def test_report_is_not_built_from_the_file_of_another_study(tmp_path: Path) -> None:
    image = an_image(write_source(tmp_path, SourceImage()), done(a_finding(0.03)))
    header = replace(image.instance.header, StudyInstanceUID=StudyUid("2.25.7"))
    study = a_study(replace(image, instance=replace(image.instance, header=header)))

    with pytest.raises(Unreadable, match="another StudyInstanceUID"):
        build_report(study)
