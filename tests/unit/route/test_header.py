from __future__ import annotations

from copy import deepcopy
from functools import cache

import pytest
from pydicom.datadict import dictionary_VR, tag_for_keyword
from pydicom.dataelem import RawDataElement
from pydicom.dataset import Dataset
from pydicom.tag import Tag

from tests.builders import small_film, to_dataset
from wetread.domain import ImageHeader
from wetread.errors import Unreadable
from wetread.route.header import read_header

UIDS = ["SOPClassUID", "SOPInstanceUID", "StudyInstanceUID", "SeriesInstanceUID"]
EXPLICIT = "1.2.840.10008.1.2.1"
pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")  # pydicom's, about odd values


def header_of(**more: object) -> ImageHeader:
    return read_header(to_dataset(small_film("header", more=more)), transfer_syntax_uid=EXPLICIT)


@cache
def good_data_set() -> Dataset:
    return Dataset(to_dataset(small_film("raw", rows=8, columns=8)))


def with_raw(keyword: str, value: bytes, vr: str | None = None) -> Dataset:
    """A good data set in which one element holds these bytes, as the wire may bring them."""
    ds = deepcopy(good_data_set())
    number = tag_for_keyword(keyword)
    assert number is not None
    tag = Tag(number)
    ds[tag] = RawDataElement(tag, vr or dictionary_VR(tag), len(value), value, 0, False, True)
    return ds


def test_header_of_a_radiograph_says_what_routing_needs() -> None:
    film = small_film("plain", rows=400, columns=320)

    header = read_header(to_dataset(film), transfer_syntax_uid=EXPLICIT)

    assert (header.SOPInstanceUID, header.StudyInstanceUID) == (film.instance_uid, film.study_uid)
    assert (header.Modality, header.body_part, header.view, header.laterality) == ("DX", "HAND", "AP", "U")
    assert (header.Rows, header.Columns, header.BitsStored, header.frames) == (400, 320, 12, 1)
    assert header.has_pixel_data
    assert header.is_presentation
    assert header.is_human
    assert not header.is_urgent
    assert header.age_years == 45


@pytest.mark.parametrize(
    ("age", "born", "taken", "years"),
    [
        ("045Y", "", "20260105", 45.0),
        ("018M", "", "20260105", 1.5),
        ("010W", "", "20260105", 10 * 7 / 365.25),
        ("003D", "", "20260105", 3 / 365.25),
        ("45Y", "", "20260105", 45.0),
        ("045y", "", "20260105", 45.0),
        ("45", "", "20260105", None),
        ("0045Y", "", "20260105", None),
        ("-45Y", "", "20260105", None),
        ("", "19960105", "20260105", 30.0),
        ("", "20260106", "20260105", None),
        ("", "19960231", "20260105", None),
        ("", "1996", "20260105", None),
        ("", "19960105", "", None),
        ("", "", "20260105", None),
        ("045Y", "20200105", "20260105", 45.0),
    ],
)
def test_age_comes_from_the_age_else_from_the_birth_date_else_is_unknown(
    age: str, born: str, taken: str, years: float | None
) -> None:
    header = header_of(PatientAge=age, PatientBirthDate=born, StudyDate=taken)

    assert header.age_years == (years if years is None else pytest.approx(years, abs=0.01))


@pytest.mark.parametrize(
    ("more", "is_human"),
    [
        ({}, True),
        ({"PatientSpeciesDescription": "Canine"}, False),
        ({"PatientSpeciesDescription": "Homo sapiens"}, True),
        ({"PatientBreedDescription": "Beagle"}, False),
        ({"PatientBreedDescription": "", "PatientSpeciesDescription": "Human"}, True),
        ({"Manufacturer": "IDEXX Laboratories"}, False),
        ({"Manufacturer": "Siemens"}, True),
    ],
)
def test_animals_are_told_from_people(more: dict[str, object], is_human: bool) -> None:
    assert header_of(**more).is_human is is_human


@pytest.mark.parametrize(("code", "is_human"), [("337915000", True), ("448771007", False)])
def test_a_coded_species_is_understood(code: str, is_human: bool) -> None:
    species = Dataset()
    species.CodeValue, species.CodingSchemeDesignator, species.CodeMeaning = code, "SCT", "species"

    assert header_of(PatientSpeciesCodeSequence=[species]).is_human is is_human


@pytest.mark.parametrize(
    ("more", "is_presentation"),
    [
        ({}, True),
        ({"PresentationIntentType": "FOR PROCESSING"}, False),
        ({"SOPClassUID": "1.2.840.10008.5.1.4.1.1.1.1.1", "PresentationIntentType": None}, False),
        ({"SOPClassUID": "1.2.840.10008.5.1.4.1.1.1.3.1", "PresentationIntentType": None}, False),
        ({"SOPClassUID": "1.2.840.10008.5.1.4.1.1.1", "PresentationIntentType": None}, True),
    ],
)
def test_raw_detector_data_is_told_from_pictures(more: dict[str, object], is_presentation: bool) -> None:
    assert header_of(**more).is_presentation is is_presentation


@pytest.mark.parametrize(
    ("priority", "is_urgent"),
    [("STAT", True), ("HIGH", True), ("stat", True), ("ROUTINE", False), ("", False)],
)
def test_urgency_comes_from_the_requested_procedure_priority(priority: str, is_urgent: bool) -> None:
    assert header_of(RequestedProcedurePriority=priority).is_urgent is is_urgent


@pytest.mark.parametrize("keyword", UIDS)
@pytest.mark.parametrize(
    "value",
    [
        b"",
        b"../../../tmp/x",
        b"/etc/passwd",
        b"1.2.3\r\nX: y",
        b"1..2",
        b"1.2.",
        b".1.2",
        b"1.02.3",
        b"3.1",
        b"1",
        b"1.2.x",
        b"\xff\xfe",
        b"1." + b"1" * 63,
        "1.\N{FULLWIDTH DIGIT TWO}.3".encode(),
    ],
)
def test_a_missing_or_malformed_uid_makes_the_object_unreadable_and_is_not_repeated(
    keyword: str, value: bytes
) -> None:
    ds = with_raw(keyword, value)

    with pytest.raises(Unreadable) as raised:
        read_header(ds, transfer_syntax_uid=EXPLICIT)

    assert raised.value.code == "uid_malformed"
    assert str(raised.value) == f"{keyword} is missing or malformed"


@pytest.mark.parametrize("keyword", UIDS)
def test_an_absent_uid_makes_the_object_unreadable(keyword: str) -> None:
    with pytest.raises(Unreadable, match=keyword):
        header_of(**{keyword: None})


ODD_VALUES = [
    b"abc", b"inf ", b"9" * 400, b"9" * 5000, b"-1", b"1.5 ", b"\xff\xfe\x00", b"", b"\\\\", b"a\\b\\c",
]  # fmt: skip
READ_KEYWORDS = [
    "Modality", "BodyPartExamined", "ViewPosition", "ImageLaterality", "PatientAge", "PatientBirthDate",
    "StudyDate", "PhotometricInterpretation", "Rows", "Columns", "BitsStored", "SamplesPerPixel",
    "NumberOfFrames", "Manufacturer", "PatientName", "PatientSex", "StudyDescription", "ProtocolName",
    "AnatomicRegionSequence", "PatientSpeciesCodeSequence", "PatientSpeciesDescription",
    "SpecificCharacterSet", "RequestedProcedurePriority",
]  # fmt: skip


@pytest.mark.parametrize("keyword", READ_KEYWORDS)
@pytest.mark.parametrize("vr", [None, "SQ", "US", "FD", "AT", "ZZ", "IS", "DS", "UN", "OB", "PN"])
def test_a_malformed_value_never_stops_the_reading_of_a_header(keyword: str, vr: str | None) -> None:
    for value in ODD_VALUES:
        header = read_header(with_raw(keyword, value, vr), transfer_syntax_uid=EXPLICIT)

        assert header.Rows >= 0
        assert header.frames >= 0


def test_text_keeps_no_control_characters_and_a_bounded_length() -> None:
    ds = with_raw("StudyDescription", b"\x1b[31mred\r\nline\x00" + b"x" * 500)

    header = read_header(ds, transfer_syntax_uid=EXPLICIT)

    assert header.StudyDescription.startswith("[31mredlinex")
    assert header.StudyDescription.isprintable()
    assert len(header.StudyDescription) == 64


def test_the_first_of_several_values_counts() -> None:
    assert header_of(ViewPosition=["AP", "PA"]).view == "AP"
