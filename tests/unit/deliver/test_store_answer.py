from __future__ import annotations

import json

import pytest

from wetread.deliver.store_answer import StoreAnswer, read_store_answer

JSON = "application/dicom+json"
XML = "application/dicom+xml; charset=utf-8"


def module(sequence: str, reason_tag: str, *reasons: int) -> dict[str, object]:
    items = [{reason_tag: {"vr": "US", "Value": [reason]}} for reason in reasons]
    return {sequence: {"vr": "SQ", "Value": items}}


def xml(sequence: str, reason_tag: str, reason: int) -> bytes:
    return f"""<?xml version="1.0" encoding="UTF-8"?>
<NativeDicomModel xmlns="http://dicom.nema.org/PS3.19/models/NativeDICOM">
<DicomAttribute tag="00081190" vr="UR" keyword="RetrieveURL"><Value number="1">x</Value></DicomAttribute>
<DicomAttribute tag="{sequence}" vr="SQ"><Item number="1">
<DicomAttribute tag="00081155" vr="UI"><Value number="1">1.2</Value></DicomAttribute>
<DicomAttribute tag="{reason_tag}" vr="US"><Value number="1"> {reason} </Value></DicomAttribute>
</Item></DicomAttribute></NativeDicomModel>""".encode()


@pytest.mark.parametrize("sequence", ["00081198", "0008119A"])
def test_the_reason_of_a_failure_is_read_from_json(sequence: str) -> None:
    body = json.dumps(module(sequence, "00081197", 290)).encode()

    assert read_store_answer(body, JSON) == StoreAnswer(failure=0x0122)


def test_an_answer_in_a_list_of_one_is_read() -> None:
    body = json.dumps([module("00081198", "00081197", 0xA900)]).encode()

    assert read_store_answer(body, "application/json") == StoreAnswer(failure=0xA900)


@pytest.mark.parametrize("item", [{}, {"00081197": {"vr": "US"}}, {"00081197": {"vr": "US", "Value": [0]}}])
def test_a_failure_without_a_reason_is_still_a_failure(item: dict[str, object]) -> None:
    body = json.dumps({"00081198": {"Value": [item]}}).encode()

    assert read_store_answer(body, JSON) == StoreAnswer(failure=0x0110)


def test_a_warning_is_read_from_json_and_from_xml() -> None:
    body = json.dumps(module("00081199", "00081196", 0xB000)).encode()

    assert read_store_answer(body, JSON) == StoreAnswer(warning=0xB000)
    assert read_store_answer(xml("00081199", "00081196", 0xB000), XML) == StoreAnswer(warning=0xB000)


def test_the_reason_of_a_failure_is_read_from_xml() -> None:
    assert read_store_answer(xml("00081198", "00081197", 0xC000), XML) == StoreAnswer(failure=0xC000)


def test_an_answer_that_says_nothing_bad_is_all_well() -> None:
    assert read_store_answer(b"{}", JSON) == StoreAnswer()


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (b"", JSON),
        (b"[]", JSON),
        (b'"text"', JSON),
        (b'{"00081198": 1}', JSON),
        (b'{"00081198": {"vr": "SQ", "Value": [{"00081197": {"Value": ["why"]}}]}}', JSON),
        (b'{"00081198": {"vr": "SQ", "Value": [{"00081197": {"Value": [70000]}}]}}', JSON),
        (b"[" * 100_000, JSON),
        (b"\xff\xfe", JSON),
        (b"<html><body>log in</body></html>", "text/html"),
        (b"<html/>", "application/xhtml+xml"),
        (b"<NativeDicomModel>", XML),
        (b'<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>', XML),
        (b"<DicomAttribute/>", XML),
        (b"{}", "text/plain"),
    ],
)
def test_anything_else_is_no_answer(body: bytes, content_type: str) -> None:
    assert read_store_answer(body, content_type) is None
