"""The door as a process runs it: on a real port, stopped in good order."""

from __future__ import annotations

import socket
import threading
import time
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from tests.unit.api.room import make_bundles
from wetread.api.main import run
from wetread.config import DestinationSettings, HttpSettings, ModelSettings, Settings
from wetread.errors import Misconfigured
from wetread.ledger import Ledger


def _settings(home: Path, port: int) -> Settings:
    models = ModelSettings(path=str(home / "bundles"), allow_unsigned=True)
    destination = DestinationSettings(name="pacs", port=11113, ae_title="PACS")
    return Settings(home=home, http=HttpSettings(port=port), models=models, destinations=(destination,))


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _ask(port: int, running: Future[None]) -> httpx.Response:
    deadline = time.monotonic() + 20
    while not running.done() and time.monotonic() < deadline:
        try:
            return httpx.get(f"http://127.0.0.1:{port}/healthz", timeout=5)
        except httpx.ConnectError:
            continue
    running.result(timeout=0)
    raise AssertionError("the door did not open")


def test_the_door_opens_says_that_it_lives_and_closes_when_told(tmp_path: Path) -> None:
    make_bundles(tmp_path / "bundles")
    port, stop = _free_port(), threading.Event()
    settings = _settings(tmp_path, port)

    with ThreadPoolExecutor(1) as threads:
        running = threads.submit(run, settings, stop)
        answer = _ask(port, running)
        with Ledger(settings.ledger_url) as ledger:
            roles = [beat.role for beat in ledger.workers.alive(since=0)]
        stop.set()
        running.result(timeout=30)

    assert answer.json() == {"status": "alive"}
    assert roles == ["api"]
    with Ledger(settings.ledger_url) as ledger:
        assert ledger.workers.alive(since=0) == []


def test_a_port_that_is_taken_is_a_setting_that_is_wrong(tmp_path: Path) -> None:
    make_bundles(tmp_path / "bundles")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        settings = _settings(tmp_path, taken.getsockname()[1])

        with pytest.raises(Misconfigured, match="setting http"):
            run(settings, threading.Event())
