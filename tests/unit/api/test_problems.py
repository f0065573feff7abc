"""Errors as RFC 9457 says them."""

from __future__ import annotations

import inspect

import pytest

from tests.unit.api.room import Room
from wetread import errors
from wetread.api.problems import describe, status_of
from wetread.errors import OutOfSpace, Transient, Unreadable, WetreadError


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        ("/api/v1/studies/1.2.3", 404, "not_found"),
        ("/api/v1/studies/1.2.3/objects/1.2", 404, "not_found"),
        ("/api/v1/studies/1.2.3/instances/1.2/rendered", 404, "not_found"),
        ("/api/v1/models/unknown", 404, "not_found"),
        ("/api/v1/nowhere", 404, "not_found"),
        ("/api/v1/studies/01.2", 422, "invalid_request"),
        ("/api/v1/studies/..%2f..%2fetc", 404, "not_found"),
        ("/api/v1/worklist?limit=0", 422, "invalid_request"),
        ("/api/v1/worklist?limit=101", 422, "invalid_request"),
        ("/api/v1/worklist?cursor=%25%25", 422, "cursor"),
        ("/api/v1/deliveries?cursor=LTE", 422, "cursor"),
        ("/api/v1/deliveries?state=lost", 422, "invalid_request"),
    ],
)
def test_every_error_is_a_problem(room: Room, path: str, status: int, code: str) -> None:
    answer = room.program().get(path)

    problem = answer.json()
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert (problem["status"], problem["code"]) == (status, code)
    assert {"type", "title", "detail"} <= problem.keys()


def test_a_method_that_is_not_there_is_a_problem(room: Room) -> None:
    answer = room.program().ask("DELETE", "/api/v1/worklist")

    assert answer.status_code == 405
    assert answer.json()["code"] == "method_not_allowed"


def test_an_invalid_request_says_where_and_repeats_nothing(room: Room) -> None:
    answer = room.program().get("/api/v1/worklist?limit=DOE")

    assert answer.json()["errors"][0]["where"] == "query.limit"
    assert "DOE" not in answer.text


def test_every_error_class_has_a_status() -> None:
    classes = [
        kind for _, kind in inspect.getmembers(errors, inspect.isclass) if issubclass(kind, WetreadError)
    ]

    statuses = {kind.__name__: status_of(kind("why")) for kind in classes}

    assert len(statuses) > 10
    assert all(400 <= status < 600 for status in statuses.values())


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (Unreadable("no DICM marker", code="not_dicom"), 422, "not_dicom"),
        (OutOfSpace("full"), 507, "out_of_space"),
        (Transient("busy"), 503, "transient"),
        (ZeroDivisionError("DOE^JANE"), 500, "fault"),
    ],
)
def test_an_error_is_described_by_the_table(error: Exception, status: int, code: str) -> None:
    problem = describe(error)

    assert (problem.status, problem.code) == (status, code)
    assert "DOE" not in problem.detail


def test_an_unforeseen_error_shows_no_trace_and_carries_the_security_headers(room: Room) -> None:
    @room.app.get("/api/v1/broken")
    def broken() -> None:
        raise RuntimeError("DOE^JANE in a local variable")

    answer = room.stranger(raises=False).get("/api/v1/broken")

    assert answer.status_code == 500
    assert answer.json()["code"] == "fault"
    assert "DOE" not in answer.text
    assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]


def test_a_person_gets_an_error_as_a_page(room: Room) -> None:
    answer = room.reader().get("/studies/1.2.3")

    assert answer.status_code == 404
    assert answer.headers["content-type"].startswith("text/html")
    assert "No such study here" in answer.text
