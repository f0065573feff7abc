"""How the service starts, stops, resumes, and lives with destinations that do not do their part."""

from __future__ import annotations

import socket
import subprocess
import sys
import time
from contextlib import ExitStack
from pathlib import Path

import pytest
from pynetdicom.dsutils import encode

from tests.builders import small_film, to_dataset, write
from tests.system.child import is_running
from tests.system.conftest import MakeWetread
from tests.system.dcmtk import storescu
from tests.system.deadline import wait_until
from tests.system.fussy_pacs import FussyPacs
from tests.system.odd_sender import DX, associated, store
from tests.system.orthanc import new_orthanc, running_orthanc
from tests.system.wetread_service import Wetread, make_settings, wait_for_study, wait_until_settled
from wetread.domain import Delivery, DeliveryState, StudyUid

_LONG_QUIET_S = 3.0
_STOP_S = 20.0
_MISCONFIGURED = 2


def test_service_stops_cleanly_on_sigterm_and_resumes_an_open_study(
    tmp_path: Path, make_wetread: MakeWetread
) -> None:
    orthanc, film = new_orthanc(), small_film("open-when-stopped")
    wetread = make_wetread(make_settings(orthanc.destination, quiet_s=_LONG_QUIET_S))
    with running_orthanc(tmp_path / "orthanc", orthanc):
        with wetread.running():
            storescu(wetread.modality, write(film, tmp_path))
            parts, started = wetread.parts(), time.monotonic()
            status = wetread.stop()
            took_s = time.monotonic() - started
            open_after_stop = {port: _is_open(port) for port in (wetread.dicom_port, wetread.http_port)}
        with wetread.ledger() as ledger:
            left = ledger.views.study(StudyUid(film.study_uid))

        with wetread.running():
            wait_for_study(wetread, film.study_uid)
            wait_until_settled(wetread, within_s=30)

        assert orthanc.count() == 2
    assert (status, took_s < _STOP_S) == (0, True)
    assert not any(map(is_running, parts))
    assert not any(open_after_stop.values())
    assert left is not None
    assert left.state == "open"


def test_idle_association_does_not_hold_up_the_stop(make_wetread: MakeWetread) -> None:
    wetread = make_wetread(make_settings())
    with wetread.running(), associated(wetread.modality):
        started = time.monotonic()

        status = wetread.stop()

        assert (status, time.monotonic() - started < _STOP_S) == (0, True)


def test_destination_that_is_down_gets_its_results_when_it_is_up(
    tmp_path: Path, make_wetread: MakeWetread
) -> None:
    orthanc, film = new_orthanc(), small_film("while-down")
    wetread = make_wetread(make_settings(orthanc.destination, quiet_s=0.5))
    with wetread.running():
        storescu(wetread.modality, write(film, tmp_path))
        wait_for_study(wetread, film.study_uid)
        wait_until(lambda: _was_postponed(wetread, film.study_uid), within_s=30, what="a try that failed")
        with running_orthanc(tmp_path / "orthanc", orthanc):
            wait_until_settled(wetread, within_s=60)

            assert orthanc.count() == 2
    states = {delivery.state for delivery in _deliveries(wetread, film.study_uid)}
    assert states == {DeliveryState.SENT}


def test_destination_that_refuses_is_recorded_and_not_asked_again_at_once(
    tmp_path: Path, make_wetread: MakeWetread
) -> None:
    film, statuses = small_film("refused"), (0xA900, 0xC000)
    with ExitStack() as stack:
        pacs = [stack.enter_context(FussyPacs([status]).listening()) for status in statuses]
        named = [one.destination | {"name": f"0x{one.statuses[0]:04X}"} for one in pacs]
        wetread = make_wetread(make_settings(*named, quiet_s=0.5))
        with wetread.running():
            storescu(wetread.modality, write(film, tmp_path))
            wait_for_study(wetread, film.study_uid)
            wait_until_settled(wetread, within_s=30)

    deliveries = _deliveries(wetread, film.study_uid)
    assert {delivery.state for delivery in deliveries} == {DeliveryState.REFUSED}
    assert all(delivery.last_status == delivery.destination for delivery in deliveries)
    assert [len(one.asked) for one in pacs] == [2, 2]


def test_destination_out_of_resources_is_asked_again(tmp_path: Path, make_wetread: MakeWetread) -> None:
    film = small_film("out-of-resources")
    with FussyPacs([0xA700, 0x0000]).listening() as pacs:
        wetread = make_wetread(make_settings(pacs.destination, quiet_s=0.5))
        with wetread.running():
            storescu(wetread.modality, write(film, tmp_path))
            wait_for_study(wetread, film.study_uid)
            wait_until_settled(wetread, within_s=60)

    deliveries = _deliveries(wetread, film.study_uid)
    assert {delivery.state for delivery in deliveries} == {DeliveryState.SENT}
    assert len(pacs.asked) == len(deliveries) + 1


def test_full_disk_is_answered_a700_and_nothing_is_registered(make_wetread: MakeWetread) -> None:
    ds = to_dataset(small_film("no-room"))
    data = encode(ds, False, True)
    wetread = make_wetread(make_settings(SPOOL__WATERMARK_BYTES=str(1 << 60)))
    with wetread.running(), associated(wetread.modality) as assoc:
        assert data is not None

        status = store(assoc, data, sop_class=DX, sop_instance=ds.SOPInstanceUID)

        with wetread.ledger() as ledger:
            counts = ledger.views.counts()
    assert status == 0xA700
    assert (counts["instances"], counts["quarantine"]) == ({}, {})


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("WETREAD_DICOM__PORT", "99999", "dicom.port"),
        ("WETREAD_DICOM__AE_TITLE", "MUCH_TOO_LONG_A_TITLE", "dicom.ae_title"),
        ("WETREAD_QUEUE__URL", "amqp://elsewhere", "queue.url"),
        ("WETREAD_MODELS__PATH", "/no/such/folder", "models.path"),
        ("WETREAD_DESTINATIONS", '[{"name": "x", "port": 1}]', "ae_title"),
        (
            "WETREAD_DESTINATIONS",
            '[{"name": "x", "kind": "dicomweb", "url": "https://x", "tls": {"ca": "/no/such.pem"}}]',
            "destination 'x': setting tls.ca: /no/such.pem: No such file or directory",
        ),
        ("WETREAD_CONFIG", "/no/such/wetread.toml", "WETREAD_CONFIG"),
        ("WETREAD_LEDGER__URL", "nonsense", "ledger.url"),
    ],
)
def test_wrong_setting_is_one_line_and_exit_2(
    make_wetread: MakeWetread, name: str, value: str, said: str
) -> None:
    wetread = make_wetread(make_settings() | {name: value})

    done = _serve(wetread)

    assert done.returncode == _MISCONFIGURED
    assert len(done.stderr.splitlines()) == 1
    assert said in done.stderr


def test_port_in_use_ends_the_service_with_exit_2_and_leaves_nothing_running(
    make_wetread: MakeWetread,
) -> None:
    wetread = make_wetread(make_settings())
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", wetread.dicom_port))
        taken.listen()

        done = _serve(wetread)

    assert done.returncode == _MISCONFIGURED
    assert f"dicom.port: cannot listen on 127.0.0.1:{wetread.dicom_port}" in done.stderr


def _serve(wetread: Wetread) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "wetread", "serve"]
    return subprocess.run(
        command, env=wetread.environment(), capture_output=True, text=True, timeout=60, check=False
    )


def _is_open(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _deliveries(wetread: Wetread, study: str) -> list[Delivery]:
    with wetread.ledger() as ledger:
        return ledger.deliveries.of_study(StudyUid(study))


def _was_postponed(wetread: Wetread, study: str) -> bool:
    return any(delivery.last_error for delivery in _deliveries(wetread, study))
