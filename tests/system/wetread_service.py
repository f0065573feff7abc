"""The service as an administrator runs it: `wetread serve` in processes of its own."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from tests.system.child import child, children_of, end, free_port, is_running
from tests.system.dcmtk import Modality, echo
from tests.system.deadline import wait_until
from wetread.domain import DeliveryState, StudyUid
from wetread.ledger import Ledger
from wetread.ledger.views import StudyLine

_START_S = 60.0
_PARTS = {"listen", "analyse", "publish"}
_ROLES = {"listen": " listen ", "analyse": " --role analyse ", "publish": " --role publish ", "api": " api "}


@dataclass(slots=True)
class Wetread:
    """One installation: its folder, its ports, its settings, and its process when it runs."""

    home: Path
    models: Path
    settings: Mapping[str, str] = field(default_factory=dict)
    dicom_port: int = field(default_factory=free_port)
    http_port: int = field(default_factory=free_port)
    process: subprocess.Popen[bytes] | None = None

    @property
    def log(self) -> Path:
        """What every part printed."""
        return self.home.parent / f"{self.home.name}.log"

    @property
    def modality(self) -> Modality:
        """Somebody who sends to it."""
        return Modality(self.dicom_port)

    @contextmanager
    def ledger(self) -> Iterator[Ledger]:
        """The ledger, opened beside the service."""
        with Ledger(f"sqlite:///{self.home / 'ledger.db'}") as ledger:
            yield ledger

    def environment(self) -> dict[str, str]:
        """The settings as a shell would hold them; none of the caller's own leak in."""
        # Without its bytecode cache Python compiles every library again for each part: seconds of start.
        foreign = ("WETREAD_", "PYTHONDONTWRITEBYTECODE")
        kept = {key: value for key, value in os.environ.items() if not key.startswith(foreign)}
        own = {
            "WETREAD_HOME": str(self.home),
            "WETREAD_DICOM__PORT": str(self.dicom_port),
            "WETREAD_HTTP__PORT": str(self.http_port),
            "WETREAD_MODELS__PATH": str(self.models),
            "WETREAD_LOG__FORMAT": "json",
        }
        return kept | own | dict(self.settings)

    @contextmanager
    def running(self) -> Iterator[Wetread]:
        """Serve while the context is open."""
        command = [sys.executable, "-m", "wetread", "serve"]
        started_at = time.time()
        with child(command, log=self.log, env=self.environment()) as process:
            self.process = process
            self._wait_until_ready(started_at)
            yield self

    def stop(self) -> int:
        """SIGTERM; the exit status."""
        assert self.process is not None
        return end(self.process)

    def pid_of(self, part: str) -> int:
        """The process id of a part of the running service."""
        return wait_until(lambda: self._find(part), within_s=30, what=f"part {part} running")

    def parts(self) -> list[int]:
        """Process ids of all parts."""
        return list(children_of(self.pid))

    @property
    def pid(self) -> int:
        """The process id of the supervisor."""
        assert self.process is not None
        return self.process.pid

    def kill(self, part: str) -> int:
        """kill -9 one part; its process id."""
        pid = self.pid_of(part)
        os.kill(pid, signal.SIGKILL)
        return pid

    def kill_tree(self) -> None:
        """kill -9 the supervisor first, then every part."""
        parts = self.parts()
        os.kill(self.pid, signal.SIGKILL)
        for pid in parts:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        wait_until(lambda: not any(map(is_running, parts)), within_s=30, what="the tree gone")

    def _find(self, part: str) -> int | None:
        found = children_of(self.pid).items()
        return next((pid for pid, command in found if _ROLES[part] in command), None)

    def _wait_until_ready(self, since: float) -> None:
        what = f"ready, see {self.log}"
        wait_until(self._has_ledger, within_s=_START_S, what=what)
        with self.ledger() as ledger:
            wait_until(lambda: self._alive(ledger, since) >= _PARTS, within_s=_START_S, what=what)
        wait_until(lambda: echo(self.modality), within_s=_START_S, what=what)

    def _has_ledger(self) -> bool:
        self._assert_alive()
        return (self.home / "ledger.db").exists()

    def _alive(self, ledger: Ledger, since: float) -> set[str]:
        self._assert_alive()
        return {beat.role for beat in ledger.workers.alive(since=since)}

    def _assert_alive(self) -> None:
        assert self.process is not None
        assert self.process.poll() is None, f"the service ended at once, see {self.log}"


def make_settings(
    *destinations: Mapping[str, object], queue: str = "embedded", quiet_s: float = 1.0, **more: str
) -> dict[str, str]:
    """Settings of a test: `more` by name, such as DICOM__MAX_ASSOCIATIONS."""
    own = {
        "WETREAD_DESTINATIONS": json.dumps(destinations),
        "WETREAD_QUEUE__URL": queue,
        "WETREAD_STUDY__QUIET_S": str(quiet_s),
        "WETREAD_WORKER__THREADS": "1",
    }
    return own | {f"WETREAD_{name}": value for name, value in more.items()}


def wait_for_study(wetread: Wetread, study: str, *, revision: int = 1, within_s: float = 60) -> StudyLine:
    """The study's line once this revision is concluded."""

    def concluded() -> StudyLine | None:
        line = ledger.views.study(StudyUid(study))
        return line if line and line.state == "concluded" and line.revision >= revision else None

    what = f"revision {revision} of {study}, see {wetread.log}"
    with wetread.ledger() as ledger:
        line = wait_until(concluded, within_s=within_s, what=what)
    assert line is not None
    return line


def wait_until_settled(wetread: Wetread, *, within_s: float) -> None:
    """Until every study is concluded and every delivery has its end."""

    def has_no_open_ends() -> bool:
        counts = ledger.views.counts()
        return not counts["studies"].get("open") and not counts["deliveries"].get(DeliveryState.PENDING)

    with wetread.ledger() as ledger:
        wait_until(
            has_no_open_ends, within_s=within_s, what=f"everything concluded and delivered, see {wetread.log}"
        )
