from __future__ import annotations

import pytest
from pydicom.dataset import Dataset

from wetread.route.anatomy import find_body_part

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")  # pydicom's, about odd values


def data_set(**elements: object) -> Dataset:
    ds = Dataset()
    for keyword, value in elements.items():
        setattr(ds, keyword, value)
    return ds


def region(meaning: str) -> list[Dataset]:
    return [data_set(CodeMeaning=meaning)]


@pytest.mark.parametrize(
    ("stated", "term"),
    [
        ("HAND", "HAND"),
        ("hand", "HAND"),
        (" Hands ", "HAND"),
        ("LEFT HAND", "HAND"),
        ("HAND_PA", "HAND"),
        ("CHEST PA", "CHEST"),
        ("THORAX", "CHEST"),
        ("Lungs", "CHEST"),
        ("TIB-FIB", "LEG"),
        ("LOWER LEG", "LEG"),
        ("UPPER LEG", "FEMUR"),
        ("LOWER ARM", "FOREARM"),
        ("UPPER ARM", "HUMERUS"),
        ("C-SPINE", "CSPINE"),
        ("L SPINE", "LSPINE"),
        ("HIP JOINT", "HIP"),
        ("BREAST", "BREAST"),
        ("HANDLE", "HANDLE"),
        ("CHEST ABDOMEN", "CHEST ABDOMEN"),
    ],
)
def test_a_stated_body_part_becomes_the_defined_term(stated: str, term: str) -> None:
    assert find_body_part(data_set(BodyPartExamined=stated)) == term


def test_a_stated_body_part_wins_over_descriptions() -> None:
    ds = data_set(BodyPartExamined="FOOT", SeriesDescription="Hand", StudyDescription="Chest")

    assert find_body_part(ds) == "FOOT"


def test_the_anatomic_region_stands_in_for_an_empty_body_part() -> None:
    ds = data_set(BodyPartExamined="", AnatomicRegionSequence=region("Lower leg"), StudyDescription="Chest")

    assert find_body_part(ds) == "LEG"


@pytest.mark.parametrize(
    ("elements", "term"),
    [
        ({"ProtocolName": "Thorax p.a."}, "CHEST"),
        ({"SeriesDescription": "W033 Hand ap/lat"}, "HAND"),
        ({"StudyDescription": "XR WRIST LEFT 2 VIEWS"}, "WRIST"),
        ({"StudyDescription": "XR hand and wrist"}, ""),
        ({"SeriesDescription": "hand, wrist", "StudyDescription": "XR WRIST"}, "WRIST"),
        ({"ProtocolName": "Knee", "StudyDescription": "Chest"}, "KNEE"),
        ({"StudyDescription": "Upper leg"}, "FEMUR"),
        ({"StudyDescription": "handle with care"}, ""),
        ({"StudyDescription": "Synthetic QC phantom"}, ""),
        ({}, ""),
    ],
)
def test_a_description_that_names_one_part_is_believed_and_one_that_names_two_is_not(
    elements: dict[str, object], term: str
) -> None:
    assert find_body_part(data_set(**elements)) == term
