"""Results to Orthanc by STOW-RS: plain, by TLS, with a wrong password, and what it holds then."""

from __future__ import annotations

from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import pydicom
import pytest

from tests.builders import small_film, write
from tests.system.dcmtk import storescu
from tests.system.deadline import wait_until
from tests.system.orthanc import SR_CLASS, Orthanc, basic, find_dicomweb_plugin, new_orthanc, running_orthanc
from tests.system.tls_front import tls_front
from tests.system.wetread_service import Wetread, make_settings, wait_for_study
from tests.unit.deliver.authority import make_authority
from tests.unit.deliver.web_pacs import web_pacs
from wetread.domain import Delivery, DeliveryState, ObjectKind, Profile, Report, StudyUid
from wetread.ledger import Ledger

USER = ("wetread", "right-password")
FILM = small_film("to-the-web", rows=600, columns=500)
_WITHIN_S = 60.0


@pytest.fixture(scope="module")
def web(tmp_path_factory: pytest.TempPathFactory, models_folder: Path) -> Iterator[tuple[Wetread, Orthanc]]:
    """One study read, sent to one Orthanc over three roads, one of them locked, and to an older PACS."""
    folder = tmp_path_factory.mktemp("web")
    orthanc = new_orthanc(USER)
    authority = make_authority(folder / "authority")
    plugins = [find_dicomweb_plugin()]
    with (
        running_orthanc(folder / "orthanc", orthanc, Plugins=plugins),
        tls_front(orthanc.http_port, authority) as tls_port,
        web_pacs(untaken=SR_CLASS) as older,
    ):
        secured = {
            "url": f"https://127.0.0.1:{tls_port}/dicom-web",
            "tls": {"ca": str(authority.ca)},
            "profile": "sc-only",
        }
        settings = make_settings(
            _destination("plain", orthanc) | {"profile": "everything", "commitment": True},
            _destination("secured", orthanc) | secured,
            _destination("locked", orthanc) | {"authorization": basic(USER[0], "wrong-password")},
            {"name": "older", "kind": "dicomweb", "url": older.url},
        )
        wetread = Wetread(folder / "wetread", models_folder, settings)
        with wetread.running():
            storescu(wetread.modality, write(FILM, folder))
            wait_for_study(wetread, FILM.study_uid)
            with wetread.ledger() as ledger:
                wait_until(
                    lambda: _is_settled(ledger), within_s=_WITHIN_S, what=f"deliveries, see {wetread.log}"
                )
            yield wetread, orthanc


def test_every_kind_of_the_profile_arrives_by_stow(web: tuple[Wetread, Orthanc]) -> None:
    wetread, orthanc = web
    report = _report(wetread)

    arrived = {item.object.kind for item in _deliveries(wetread, "plain")}

    assert arrived == {made.kind for made in report.objects} & set(Profile.EVERYTHING.kinds)
    assert arrived >= {ObjectKind.STRUCTURED_REPORT, ObjectKind.CAPTURE}
    sent = {item.object.SOPInstanceUID for item in _deliveries(wetread, "plain")}
    assert {held.SOPInstanceUID for held in orthanc.of_study(FILM.study_uid)} == sent


def test_what_arrived_is_identical_to_what_was_made(web: tuple[Wetread, Orthanc]) -> None:
    wetread, orthanc = web
    made = {
        item.SOPInstanceUID: wetread.home / "spool" / "objects" / item.spool_key
        for item in _report(wetread).objects
    }

    for held in orthanc.of_study(FILM.study_uid):
        there = pydicom.dcmread(BytesIO(orthanc.file(held)))
        [here] = [pydicom.dcmread(path) for uid, path in made.items() if uid == held.SOPInstanceUID]
        assert there == here


def test_objects_that_are_found_there_are_committed(web: tuple[Wetread, Orthanc]) -> None:
    wetread, _ = web

    assert {item.state for item in _deliveries(wetread, "plain")} == {DeliveryState.COMMITTED}


def test_a_destination_behind_tls_of_its_own_authority_is_served(web: tuple[Wetread, Orthanc]) -> None:
    wetread, _ = web

    deliveries = _deliveries(wetread, "secured")

    assert {(item.object.kind, item.state, item.last_status) for item in deliveries} == {
        (ObjectKind.CAPTURE, DeliveryState.SENT, "200")
    }


def test_a_destination_that_takes_no_newer_report_gets_the_older_one_and_the_ledger_says_so(
    web: tuple[Wetread, Orthanc],
) -> None:
    wetread, _ = web

    deliveries = {item.object.kind: item for item in _deliveries(wetread, "older")}

    assert {kind: item.state for kind, item in deliveries.items()} == {
        ObjectKind.CAPTURE: DeliveryState.SENT,
        ObjectKind.STRUCTURED_REPORT: DeliveryState.DEGRADED,
        ObjectKind.COMPREHENSIVE_REPORT: DeliveryState.SENT,
    }
    assert "in effect it gets" in deliveries[ObjectKind.STRUCTURED_REPORT].last_error


def test_a_wrong_password_is_said_clearly_and_nothing_is_dropped(web: tuple[Wetread, Orthanc]) -> None:
    wetread, _ = web

    deliveries = _deliveries(wetread, "locked")

    assert {item.state for item in deliveries} == {DeliveryState.PENDING}
    [tried] = [item for item in deliveries if item.attempts]
    assert tried.last_status == "http_401"
    assert "credentials" in tried.last_error
    assert "wrong-password" not in wetread.log.read_text()


def _destination(name: str, orthanc: Orthanc) -> dict[str, object]:
    return {"name": name, "kind": "dicomweb", "url": orthanc.web_url, "authorization": basic(*USER)}


def _is_settled(ledger: Ledger) -> bool:
    deliveries = ledger.deliveries.of_study(StudyUid(FILM.study_uid))
    done = {"plain": {DeliveryState.COMMITTED}, "secured": {DeliveryState.SENT}}
    done["older"] = {DeliveryState.SENT, DeliveryState.DEGRADED}
    is_done = all(item.state in done[item.destination] for item in deliveries if item.destination in done)
    return is_done and any(item.last_error for item in deliveries if item.destination == "locked")


def _deliveries(wetread: Wetread, name: str) -> list[Delivery]:
    with wetread.ledger() as ledger:
        found = ledger.deliveries.of_study(StudyUid(FILM.study_uid))
    return [item for item in found if item.destination == name]


def _report(wetread: Wetread) -> Report:
    with wetread.ledger() as ledger:
        [report] = ledger.reports.revisions(StudyUid(FILM.study_uid))
    return report
