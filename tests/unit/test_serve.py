from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.system.deadline import wait_until
from wetread.errors import Misconfigured
from wetread.serve import Part, keep_alive

SUPERVISOR = """
import threading
from wetread.serve import Part, keep_alive
part = Part("publish", ("work", "--role", "publish"))
stop = threading.Event()
threading.Thread(target=keep_alive, args=([part], stop), daemon=True).start()
while part.process is None:
    stop.wait(0.01)
print(part.process.pid, flush=True)
stop.wait()
"""


@pytest.fixture(autouse=True)
def _home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.startswith("WETREAD_"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("WETREAD_HOME", str(tmp_path))
    monkeypatch.setenv("WETREAD_SPOOL__WATERMARK_BYTES", "0")


@contextmanager
def watched(*parts: Part) -> Iterator[tuple[threading.Event, Future[None]]]:
    stop = threading.Event()
    with ThreadPoolExecutor(1) as threads:
        watching = threads.submit(keep_alive, parts, stop)
        try:
            yield stop, watching
        finally:
            stop.set()


def pid_of(part: Part, *, other_than: int = 0) -> Callable[[], int]:
    def ask() -> int:
        process = part.process
        return process.pid if process and process.pid != other_than and process.poll() is None else 0

    return ask


def is_running(pid: int) -> bool:
    try:
        return "State:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except FileNotFoundError:
        return False


def test_a_part_that_is_killed_is_started_again_ever_later_and_stops_with_the_rest() -> None:
    part, pids = Part("publish", ("work", "--role", "publish")), [0]
    with watched(part) as (stop, watching):
        for _ in range(3):
            pids.append(wait_until(pid_of(part, other_than=pids[-1]), within_s=20, what="part up"))
            if len(pids) <= 3:
                died_at = time.monotonic()
                os.kill(pids[-1], signal.SIGKILL)
        waited_s = part.started_at - died_at
        stop.set()
        watching.result(60)

    assert part.failures == 2
    assert waited_s >= 0.4
    assert not any(is_running(pid) for pid in pids[1:])


def test_a_part_whose_setting_is_wrong_stops_everything_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WETREAD_STUDY__QUIET_S", "-1")
    wrong = Part("publish", ("work", "--role", "publish"))

    with watched(wrong) as (_, watching), pytest.raises(Misconfigured, match="publish"):
        watching.result(60)


def test_a_part_that_has_run_and_finds_a_wrong_setting_later_leaves_the_others_alone() -> None:
    healthy = Part("publish", ("work", "--role", "publish"))
    # It stops with status 2 at once, as a part does whose models were half replaced.
    broken = Part("broken", ("work", "--role", "no such role"), has_run=True)

    with watched(healthy, broken) as (stop, watching):
        wait_until(lambda: broken.failures >= 2, within_s=30, what="the broken part tried again")
        pid = wait_until(pid_of(healthy), within_s=30, what="the healthy part running")
        stop.set()
        watching.result(timeout=60)

    assert not is_running(pid)


def test_parts_do_not_outlive_a_supervisor_that_is_killed() -> None:
    supervisor = subprocess.Popen([sys.executable, "-c", SUPERVISOR], stdout=subprocess.PIPE)
    assert supervisor.stdout is not None
    child = int(supervisor.stdout.readline())
    assert is_running(child)

    supervisor.kill()
    supervisor.communicate()

    wait_until(lambda: not is_running(child), within_s=30, what="the child ended")
