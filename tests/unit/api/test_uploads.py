"""DICOM over HTTP."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.unit.api.room import Room, image, open_room

_DICOM = {"content-type": "application/dicom"}


def test_one_file_is_taken_and_in_the_ledger(room: Room) -> None:
    answer = room.program().post("/api/v1/studies", content=image("one"), headers=_DICOM)

    [file] = answer.json()["files"]
    [kept] = room.ledger.instances.of_study(file["StudyInstanceUID"])
    assert answer.status_code == 202
    assert file["analyses"] == 1
    assert kept.header.SOPInstanceUID == file["SOPInstanceUID"]


def test_the_same_file_again_changes_nothing(room: Room) -> None:
    program = room.program()
    program.post("/api/v1/studies", content=image("same"), headers=_DICOM)

    answer = program.post("/api/v1/studies", content=image("same"), headers=_DICOM)

    assert answer.status_code == 202
    assert not answer.json()["files"][0]["is_new"]
    assert room.ledger.views.counts()["instances"] == {"http": 1}


def test_a_form_answers_for_each_file(room: Room) -> None:
    files = [("file", ("good.dcm", image("good"))), ("file", ("bad.dcm", b"no DICOM"))]

    answer = room.program().post("/api/v1/studies", files=files)

    good, bad = answer.json()["files"]
    assert answer.status_code == 202
    assert (good["name"], good["status"]) == ("good.dcm", 202)
    assert (bad["name"], bad["status"], bad["problem"]["code"]) == ("bad.dcm", 422, "not_dicom")


def test_what_was_refused_is_in_quarantine(room: Room) -> None:
    room.program().post("/api/v1/studies", content=b"no DICOM", headers=_DICOM)

    [entry] = room.program().get("/api/v1/quarantine").json()["items"]

    assert entry["reason"]["code"] == "not_dicom"
    assert (entry["door"], entry["peer"]) == ("http", "192.0.2.7")
    assert entry["is_kept"]


def test_nothing_taken_is_a_problem_with_each_reason(room: Room) -> None:
    files = [("file", ("a", b"no DICOM")), ("file", ("b", b"neither"))]

    answer = room.program().post("/api/v1/studies", files=files)

    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    assert [file["problem"]["code"] for file in answer.json()["files"]] == ["not_dicom", "not_dicom"]


def test_a_form_without_a_file_is_a_problem(room: Room) -> None:
    boundary = {"content-type": "multipart/form-data; boundary=x"}
    body = b'--x\r\nContent-Disposition: form-data; name="file"\r\n\r\ntext\r\n--x--\r\n'

    answer = room.program().post("/api/v1/studies", content=body, headers=boundary)

    assert (answer.status_code, answer.json()["code"]) == (422, "no_files")


def test_a_broken_form_is_a_problem(room: Room) -> None:
    headers = {"content-type": "multipart/form-data; boundary=x"}

    answer = room.program().post("/api/v1/studies", content=b"--y nonsense", headers=headers)

    assert answer.status_code in (400, 422)
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize("media_type", ["application/json", "text/plain", ""])
def test_another_media_type_is_refused(room: Room, media_type: str) -> None:
    headers = {"content-type": media_type} if media_type else {}

    answer = room.program().post("/api/v1/studies", content=b"{}", headers=headers)

    assert (answer.status_code, answer.json()["code"]) == (415, "media_type")


@pytest.mark.parametrize("is_form", [False, True])
def test_a_request_above_the_limit_is_refused_before_it_is_kept(tmp_path: Path, is_form: bool) -> None:
    with open_room(tmp_path, max_upload_bytes=2**20) as room:
        data = image("large") + bytes(2**20)
        sent = {"files": {"file": data}} if is_form else {"content": data, "headers": _DICOM}

        answer = room.program().post("/api/v1/studies", **sent)

        assert (answer.status_code, answer.json()["code"]) == (413, "too_large")
        assert room.ledger.views.counts()["instances"] == {}


def test_a_stream_that_does_not_say_its_length_is_stopped_at_the_limit(tmp_path: Path) -> None:
    async def endless() -> object:
        while True:
            yield bytes(2**16)

    with open_room(tmp_path, max_upload_bytes=2**20) as room:
        answer = room.program().post("/api/v1/studies", content=endless(), headers=_DICOM)

        assert answer.status_code == 413


def test_without_a_key_nothing_is_read_or_kept(room: Room) -> None:
    answer = room.stranger().post("/api/v1/studies", content=image("stranger"), headers=_DICOM)

    assert answer.status_code == 401
    assert room.ledger.views.counts()["instances"] == {}
