"""Who gets in, and with what."""

from __future__ import annotations

import stat
import time
from pathlib import Path

import pytest
from fastapi.routing import APIRoute

from tests.unit.api.room import Room
from wetread.api.auth import SESSION_COOKIE, SESSION_S, Gate, load_admin_key
from wetread.errors import Misconfigured

_OPEN = {"/healthz", "/readyz", "/metrics", "/login", "/logout"}
_VALUES = {
    "uid": "1.2.3",
    "object_uid": "1.2.4",
    "instance_uid": "1.2.5",
    "name": "fracture",
    "delivery_id": "1",
}


def _routes(room: Room) -> list[tuple[str, str]]:
    """Every method and path, from the application and from its OpenAPI: none may be forgotten."""
    found = set()
    for path, methods in room.app.openapi()["paths"].items():
        found |= {(method.upper(), path) for method in methods}
    for route in _walk(room.app.routes):
        found |= {(method, route.path) for method in route.methods}
    return sorted((method, path.format(**_VALUES)) for method, path in found if path not in _OPEN)


def _walk(routes: object) -> list[APIRoute]:
    found: list[APIRoute] = []
    for route in routes:  # type: ignore[attr-defined]  # a list of starlette's own kinds
        inner = getattr(route, "routes", None) or getattr(
            getattr(route, "original_router", None), "routes", []
        )
        found += [route] if isinstance(route, APIRoute) else _walk(inner)
    return found


def test_the_walk_finds_pages_and_programs_routes(room: Room) -> None:
    paths = {path for _, path in _routes(room)}

    assert {"/", "/studies/1.2.3", "/operations", "/api/v1/worklist", "/api/v1/studies"} <= paths


def test_every_route_but_the_open_ones_asks_for_the_key(room: Room) -> None:
    stranger = room.stranger()

    answers = {(method, path): stranger.ask(method, path) for method, path in _routes(room)}

    for (_, path), answer in answers.items():
        if path.startswith("/api/"):
            assert answer.status_code == 401, path
            assert answer.headers["www-authenticate"].startswith("Bearer")
        else:
            assert answer.status_code == 303, path
            assert answer.headers["location"].startswith("/login")


@pytest.mark.parametrize("header", ["Bearer wrong", "Bearer ", "Basic YWRtaW46YWRtaW4=", "nonsense"])
def test_a_wrong_key_is_refused(room: Room, header: str) -> None:
    answer = room.stranger().get("/api/v1/worklist", headers={"Authorization": header})

    assert answer.status_code == 401
    assert answer.headers["content-type"] == "application/problem+json"


def test_a_program_with_the_key_gets_in(room: Room) -> None:
    assert room.program().get("/api/v1/worklist").status_code == 200


def test_health_answers_everybody(room: Room) -> None:
    stranger = room.stranger()

    assert stranger.get("/healthz").json() == {"status": "alive"}
    assert stranger.get("/metrics").status_code == 200


def test_login_gives_a_session_that_scripts_and_other_sites_cannot_use(room: Room) -> None:
    browser = room.stranger()

    answer = browser.post("/login", data={"key": room.key, "next": "/models"})

    cookie = answer.headers["set-cookie"].lower()
    assert answer.status_code == 303
    assert answer.headers["location"] == "/models"
    assert "httponly" in cookie
    assert "samesite=strict" in cookie
    assert browser.get("/").status_code == 200
    assert browser.get("/api/v1/worklist").status_code == 200


def test_login_with_a_wrong_key_gives_nothing(room: Room) -> None:
    answer = room.stranger().post("/login", data={"key": "wrong"})

    assert answer.status_code == 401
    assert "set-cookie" not in answer.headers
    assert "This is not the key" in answer.text


@pytest.mark.parametrize(
    "target", ["https://evil.example/", "//evil.example", "/\\evil.example", "javascript:x"]
)
def test_login_goes_on_to_our_own_pages_only(room: Room, target: str) -> None:
    answer = room.stranger().post("/login", data={"key": room.key, "next": target})

    assert answer.headers["location"] == "/"


def test_login_refuses_a_form_of_another_site(room: Room) -> None:
    stranger = room.stranger()
    data = {"key": room.key}

    by_origin = stranger.post("/login", data=data, headers={"Origin": "https://evil.example"})
    by_fetch = stranger.post("/login", data=data, headers={"Sec-Fetch-Site": "cross-site"})

    assert by_origin.status_code == by_fetch.status_code == 403


def test_a_session_does_not_change_anything_through_the_api(room: Room) -> None:
    answer = room.reader().post("/api/v1/deliveries/1/retry")

    assert answer.status_code == 401


def test_logout_ends_the_session(room: Room) -> None:
    browser = room.reader()

    browser.post("/logout")

    assert browser.get("/").status_code == 303


def test_a_session_expires_and_cannot_be_made_longer() -> None:
    gate = Gate("a key of some length")
    session = gate.open_session(now=1000.0)
    expires, seal = session.split(".")

    assert gate.knows_session(session, now=1000.0 + SESSION_S - 1)
    assert not gate.knows_session(session, now=1000.0 + SESSION_S)
    assert not gate.knows_session(f"{int(expires) + 1}.{seal}", now=1000.0)
    assert not Gate("another key of some length").knows_session(session, now=1000.0)
    assert not gate.knows_session("", now=1000.0)


def test_a_forged_cookie_is_refused(room: Room) -> None:
    browser = room.stranger()
    browser.cookies.set(SESSION_COOKIE, f"{int(time.time()) + 60}.{'0' * 64}")

    assert browser.get("/").status_code == 303


def test_the_key_is_made_once_and_only_its_owner_reads_it(tmp_path: Path) -> None:
    first = load_admin_key(tmp_path)
    second = load_admin_key(tmp_path)

    assert first == second
    assert len(first) >= 43
    assert stat.S_IMODE((tmp_path / "admin.key").stat().st_mode) == 0o600
    assert [path.name for path in tmp_path.iterdir()] == ["admin.key"]


def test_an_empty_key_file_is_a_setting_that_is_wrong(tmp_path: Path) -> None:
    (tmp_path / "admin.key").write_text("\n")

    with pytest.raises(Misconfigured, match=r"admin\.key"):
        load_admin_key(tmp_path)


def test_the_gate_shows_no_key() -> None:
    assert "secret" not in repr(Gate("secret-of-some-length"))
