from __future__ import annotations

from dataclasses import replace

import pytest

from tests.builders import small_film, to_dataset
from wetread.domain import ImageHeader
from wetread.route.header import read_header
from wetread.route.rules import Scope, why_not

DX = "1.2.840.10008.5.1.4.1.1.1.1"
SCOPE = Scope(
    modalities=frozenset({"CR", "DX"}),
    sop_classes=frozenset({DX}),
    body_parts=frozenset({"HAND", "WRIST"}),
    views=frozenset({"AP", "PA"}),
    least_age_years=18,
    most_age_years=90,
    least_rows=200,
    least_columns=200,
)


@pytest.fixture
def header() -> ImageHeader:
    return read_header(to_dataset(small_film("rules")), transfer_syntax_uid="1.2.840.10008.1.2.1")


def test_an_image_inside_the_scope_is_read(header: ImageHeader) -> None:
    assert why_not(header, SCOPE) is None


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"Modality": "CT"}, "modality_out_of_scope"),
        ({"Modality": ""}, "modality_out_of_scope"),
        ({"is_presentation": False}, "raw_detector_data"),
        ({"SOPClassUID": "1.2.840.10008.5.1.4.1.1.7"}, "sop_class_out_of_scope"),
        ({"has_pixel_data": False}, "pixels_missing"),
        ({"is_human": False}, "not_human"),
        ({"body_part": ""}, "body_part_unknown"),
        ({"body_part": "CHEST"}, "body_part_out_of_scope"),
        ({"view": "LL"}, "view_out_of_scope"),
        ({"age_years": 17.9}, "age_out_of_scope"),
        ({"age_years": 0.0}, "age_out_of_scope"),
        ({"age_years": 90.1}, "age_out_of_scope"),
        ({"frames": 2}, "multi_frame"),
        ({"SamplesPerPixel": 3}, "colour"),
        ({"PhotometricInterpretation": "RGB"}, "colour"),
        ({"PhotometricInterpretation": ""}, "colour"),
        ({"Rows": 199}, "too_small"),
        ({"Columns": 199}, "too_small"),
        ({"Rows": 0, "Columns": 0}, "too_small"),
    ],
)
def test_every_no_has_its_reason_and_a_sentence(
    header: ImageHeader, change: dict[str, object], reason: str
) -> None:
    no = why_not(replace(header, **change), SCOPE)  # type: ignore[arg-type]  # the table names any field

    assert no is not None
    assert no.reason == reason
    assert len(no.text.split()) >= 3


@pytest.mark.parametrize(
    "change",
    [
        {"age_years": None},
        {"age_years": 18.0},
        {"age_years": 90.0},
        {"view": ""},
        {"PhotometricInterpretation": "MONOCHROME1"},
    ],
)
def test_what_the_header_leaves_open_is_read(header: ImageHeader, change: dict[str, object]) -> None:
    changed = replace(header, **change)  # type: ignore[arg-type]  # the table names any field

    assert why_not(changed, SCOPE) is None


def test_a_scope_without_limits_reads_any_body_part_view_and_age(header: ImageHeader) -> None:
    wide = replace(
        SCOPE, body_parts=frozenset(), views=frozenset(), least_age_years=None, most_age_years=None
    )

    assert why_not(replace(header, body_part="", view="XX", age_years=0.1), wide) is None


def test_the_first_reason_is_what_the_object_is(header: ImageHeader) -> None:
    no = why_not(replace(header, Modality="CT", body_part="", frames=9), SCOPE)

    assert no is not None
    assert no.reason == "modality_out_of_scope"
