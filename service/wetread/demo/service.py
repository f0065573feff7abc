"""Runs `wetread serve` as a child on free ports, as a user would from a shell."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException
from pathlib import Path

from wetread.errors import Transient

_START_S = 60.0
_STOP_S = 60.0


@dataclass(frozen=True, slots=True)
class Service:
    """Where the running service is reached."""

    home: Path
    dicom_port: int
    http_port: int
    log: Path

    @property
    def url(self) -> str:
        """The reading room."""
        return f"http://127.0.0.1:{self.http_port}/"


def free_port() -> int:
    """A TCP port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def serving(home: Path, *, pacs_port: int, quiet_s: float) -> Iterator[Service]:
    """Run the service until the context closes. Raises Transient when it does not come up in a minute."""
    service = Service(home, free_port(), free_port(), home.parent / "service.log")
    with service.log.open("wb") as log:
        process = subprocess.Popen(  # our own program
            [sys.executable, "-m", "wetread", "serve", "--until-stdin-closes"],
            env=_environment(service, pacs_port=pacs_port, quiet_s=quiet_s),
            stdin=subprocess.PIPE,
            stdout=log,
            stderr=log,
        )
    try:
        _wait_until_ready(service, process)
        yield service
    finally:
        _stop(process)


def _environment(service: Service, *, pacs_port: int, quiet_s: float) -> dict[str, str]:
    pacs = {
        "name": "stand-in",
        "kind": "dicom",
        "host": "127.0.0.1",
        "port": pacs_port,
        "ae_title": "STANDIN",
    }
    # The demo shows the defaults: of what is set for the real service only the models come along.
    kept = {
        key: value
        for key, value in os.environ.items()
        if not key.startswith("WETREAD_") or key.startswith("WETREAD_MODELS__")
    }
    return kept | {
        "WETREAD_HOME": str(service.home),
        "WETREAD_DICOM__PORT": str(service.dicom_port),
        "WETREAD_HTTP__PORT": str(service.http_port),
        "WETREAD_STUDY__QUIET_S": str(quiet_s),
        "WETREAD_DESTINATIONS": json.dumps([pacs]),
    }


def _wait_until_ready(service: Service, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + _START_S
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise Transient(f"the service did not start: see {service.log}")
        if _is_ready(service.http_port):
            return
        time.sleep(0.1)
    raise Transient(f"the service is not ready after {_START_S:.0f} s: see {service.log}")


def _is_ready(port: int) -> bool:
    connection = HTTPConnection("127.0.0.1", port, timeout=2)
    try:
        connection.request("GET", "/readyz")
        return connection.getresponse().status == 200
    except (OSError, HTTPException):
        return False
    finally:
        connection.close()


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(_STOP_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    if process.stdin is not None:
        process.stdin.close()
