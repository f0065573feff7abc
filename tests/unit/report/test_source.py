from __future__ import annotations

from pathlib import Path

import pytest

from tests.unit.report.studies import SourceImage, write_source
from wetread.errors import Unreadable
from wetread.report.source import local_time, pixel_aspect, pixel_spacing_mm, read_source


@pytest.mark.parametrize(
    ("character_set", "name"),
    [
        (["", "ISO 2022 IR 87"], "Yamada^Tarou=山田^太郎=やまだ^たろう"),
        ("ISO_IR 144", "Иванов^Пётр"),
        ("ISO_IR 192", "Ελένη^Παππά"),
        ("ISO_IR 100", "Müller^Jörg"),
    ],
)
def test_source_decodes_names_of_any_script(
    tmp_path: Path, character_set: str | list[str], name: str
) -> None:
    path = write_source(tmp_path, SourceImage(character_set=character_set, patient_name=name))

    source = read_source(path)

    assert str(source.PatientName) == name
    assert source.SpecificCharacterSet == "ISO_IR 192"


def test_source_adds_missing_type_2_attributes_empty(tmp_path: Path) -> None:
    absent = ("PatientBirthDate", "PatientSex", "AccessionNumber", "StudyID", "StudyDate", "StudyTime")
    path = write_source(tmp_path, SourceImage(without=absent))

    source = read_source(path)

    assert all(keyword in source and not source[keyword].value for keyword in absent)


@pytest.mark.filterwarnings("ignore::UserWarning")  # the bad values are written on purpose
def test_source_empties_what_its_representation_forbids_and_cuts_nothing(tmp_path: Path) -> None:
    bad = {
        "AccessionNumber": "x" * 17,
        "PatientSex": "?",
        "StudyDate": "20261301",
        "StudyTime": "99",
        "PatientIdentityRemoved": "YES",
    }
    path = write_source(tmp_path, SourceImage(more=dict(bad)))

    source = read_source(path)

    assert [source[keyword].value or "" for keyword in ("AccessionNumber", "PatientSex")] == ["", ""]
    assert not source.StudyDate
    assert not source.StudyTime
    assert "PatientIdentityRemoved" not in source


def test_source_keeps_what_is_there_and_empty(tmp_path: Path) -> None:
    path = write_source(tmp_path, SourceImage(more={"StudyDescription": "", "PatientAge": ""}))

    source = read_source(path)

    assert [source[keyword].value for keyword in ("StudyDescription", "PatientAge")] == ["", ""]
    assert "PatientComments" not in source


def test_source_spacing_of_zero_is_no_spacing(tmp_path: Path) -> None:
    path = write_source(
        tmp_path, SourceImage(more={"PixelSpacing": ["0.000", "0.000"], "ImagerPixelSpacing": ["0.2", "0.1"]})
    )

    source = read_source(path)

    assert pixel_spacing_mm(source) is None
    assert pixel_aspect(source) == pytest.approx(2.0)


def test_source_lends_its_time_zone(tmp_path: Path) -> None:
    path = write_source(tmp_path, SourceImage(more={"TimezoneOffsetFromUTC": "-0430"}))

    moment = local_time(0.0, read_source(path))

    assert moment.strftime("%Y%m%d%H%M%S%z") == "19691231193000-0430"


def test_source_that_cannot_be_read_is_named_so(tmp_path: Path) -> None:
    with pytest.raises(Unreadable):
        read_source(tmp_path / "nothing.dcm")
