from __future__ import annotations

import json
from pathlib import Path

import pytest

from wetread.config import DestinationSettings, load_settings
from wetread.domain import Hours, ObjectKind, Profile, Tls
from wetread.errors import Misconfigured

DICOM = {"name": "pacs", "port": 104, "ae_title": "PACS"}
WEB = {"name": "web", "kind": "dicomweb", "url": "https://pacs.example/dicom-web"}


def read(
    monkeypatch: pytest.MonkeyPatch, *destinations: dict[str, object]
) -> tuple[DestinationSettings, ...]:
    monkeypatch.setenv("WETREAD_DESTINATIONS", json.dumps(destinations))
    return load_settings().destinations


def test_a_destination_whose_report_of_commitment_would_be_turned_away_is_one_line_at_the_start(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("WETREAD_DICOM__ALLOWED_CALLERS", '["MODALITY"]')
    read(monkeypatch, DICOM)

    with pytest.raises(Misconfigured, match=r"dicom\.allowed_callers: destination 'pacs' reports .* as PACS"):
        read(monkeypatch, DICOM | {"commitment": True})


def test_a_web_destination_is_read_with_all_that_is_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    more = {
        "url": "https://pacs.example:8443/dicom-web/",
        "authorization": "Bearer hunter2",
        "tls": {"ca": "/ca.pem", "certificate": "/own.pem", "key": "/own.key", "check_host": False},
        "profile": "everything",
        "commitment": True,
        "per_minute": 30,
        "hours": ["22:00-06:00", "12:30-13:00"],
    }
    [setting] = read(monkeypatch, WEB | more)

    destination = setting.to_domain()

    assert (destination.kind, destination.url) == ("dicomweb", "https://pacs.example:8443/dicom-web")
    assert destination.authorization == "Bearer hunter2"
    assert destination.tls == Tls(Path("/ca.pem"), Path("/own.pem"), Path("/own.key"), checks_host=False)
    assert destination.objects == Profile.EVERYTHING.kinds
    assert (destination.commits, destination.per_minute) == (True, 30)
    assert destination.hours == (Hours(1320, 360), Hours(750, 780))
    assert "hunter2" not in f"{setting!r} {destination!r}"


def test_a_calling_title_of_its_own_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    [setting] = read(monkeypatch, DICOM | {"calling_aet": "WETREAD2"})

    assert setting.to_domain().calling_aet == "WETREAD2"


@pytest.mark.parametrize("profile", Profile)
def test_each_profile_gives_its_kinds(monkeypatch: pytest.MonkeyPatch, profile: Profile) -> None:
    [setting] = read(monkeypatch, DICOM | {"profile": profile.value})

    assert setting.to_domain().objects == profile.kinds


def test_the_report_may_go_in_the_older_class(monkeypatch: pytest.MonkeyPatch) -> None:
    [setting] = read(monkeypatch, DICOM | {"report": "comprehensive"})

    assert setting.to_domain().objects == (ObjectKind.CAPTURE, ObjectKind.COMPREHENSIVE_REPORT)


def test_where_a_destination_is_can_be_said(monkeypatch: pytest.MonkeyPatch) -> None:
    addresses = [setting.address for setting in read(monkeypatch, DICOM, WEB)]

    assert addresses == ["PACS at 127.0.0.1:104", "https://pacs.example/dicom-web"]


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"name": "pacs"}, "destination 'pacs': a DICOM destination needs port and ae_title"),
        ({"name": "web", "kind": "dicomweb"}, "destination 'web': a DICOMweb destination needs url"),
        (DICOM | {"url": "http://pacs"}, "destination 'pacs': url is not for the kind dicom"),
        (
            DICOM | {"authorization": "Basic hunter2"},
            "destination 'pacs': authorization is not for the kind dicom",
        ),
        (WEB | {"port": 104}, "destination 'web': port is not for the kind dicomweb"),
        (WEB | {"calling_aet": "WETREAD2"}, "destination 'web': calling_aet is not for the kind dicomweb"),
        (
            WEB | {"url": "http://pacs", "tls": {}},
            "destination 'web': tls needs a url that begins with https",
        ),
        (
            DICOM | {"tls": {"certificate": "/own.pem"}},
            "destination 'pacs': tls.certificate and tls.key go together",
        ),
        (
            DICOM | {"profile": "sc-only", "objects": ["sr"]},
            "destination 'pacs': give profile or objects, not both",
        ),
        (
            DICOM | {"objects": ["ko", "gsps"]},
            "destination 'pacs': objects needs one of capture, sr, sr-comprehensive",
        ),
        (
            DICOM | {"objects": []},
            "destination 'pacs': objects needs one of capture, sr, sr-comprehensive",
        ),
    ],
)
def test_a_wrong_combination_is_one_line_that_names_the_destination(
    monkeypatch: pytest.MonkeyPatch, given: dict[str, object], says: str
) -> None:
    with pytest.raises(Misconfigured) as raised:
        read(monkeypatch, given)

    assert str(raised.value) == f"setting destinations.0: {says}"


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("url", "ftp://pacs"),
        ("url", "pacs.example"),
        ("url", "https://"),
        ("url", "https://user:hunter2@pacs.example"),
        ("url", "https://pacs.example:70000"),
        ("url", "https://pacs.example/dicom?key=hunter2"),
        ("url", "https://pacs.example/a b"),
        ("url", "https://[pacs"),
        ("url", "https://pacs..example"),
        ("url", "https://pacs.example/dicom-web/studies"),
        ("url", "https://pacs.example/dicom-web/studies/"),
        ("commitment_wait_s", float("inf")),
        ("per_minute", 10**30),
        ("authorization", "Basic hunter2\r\nX-Other: 1"),
        ("authorization", "Bearer hunter2\u00e9"),
        ("hours", ["22-06"]),
        ("hours", ["24:00-06:00"]),
        ("per_minute", -1),
        ("commitment_wait_s", float("nan")),
        ("kind", "webhook"),
        ("profile", "sr"),
    ],
)
def test_a_wrong_value_is_one_line_that_names_the_key_and_not_what_was_given(
    monkeypatch: pytest.MonkeyPatch, key: str, value: object
) -> None:
    with pytest.raises(Misconfigured) as raised:
        read(monkeypatch, WEB | {key: value})

    line = str(raised.value)
    assert line.startswith(f"setting destinations.0.{key}")
    assert "hunter2" not in line
    assert "\n" not in line


@pytest.mark.parametrize("host", ["", " ", "pacs local", "pacs..local", "a" * 64, "p" * 300])
def test_a_host_that_cannot_be_is_one_line_that_names_the_key(
    monkeypatch: pytest.MonkeyPatch, host: str
) -> None:
    with pytest.raises(Misconfigured, match=r"^setting destinations\.0\.host: .*$"):
        read(monkeypatch, DICOM | {"host": host})


@pytest.mark.parametrize("host", ["pacs", "pacs.example", "192.0.2.1", "::1", "pacs_1.example"])
def test_names_and_addresses_are_hosts(monkeypatch: pytest.MonkeyPatch, host: str) -> None:
    assert read(monkeypatch, DICOM | {"host": host})[0].host == host


def test_a_destination_that_could_not_report_its_commitment_is_one_line(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("WETREAD_DICOM__ALLOWED_CALLERS", '["XRAY1"]')

    with pytest.raises(Misconfigured, match=r"dicom.allowed_callers: destination 'pacs' .* as PACS"):
        read(monkeypatch, DICOM | {"commitment": True})
    assert read(monkeypatch, DICOM, WEB | {"commitment": True})
