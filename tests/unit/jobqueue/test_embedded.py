from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from wetread.domain import AnalysisId, Lane
from wetread.jobqueue.embedded import Bell, EmbeddedQueue

WAITER = """
import sys
from pathlib import Path
from wetread.jobqueue.embedded import Bell
with Bell(Path(sys.argv[1])) as bell:
    print("ready", flush=True)
    print(bell.wait(30), flush=True)
"""


def test_a_ring_before_the_wait_is_kept_and_wakes_once(tmp_path: Path) -> None:
    with Bell(tmp_path / "bell") as bell:
        bell.ring()

        assert bell.wait(5)
        assert not bell.wait(0)


def test_each_ring_wakes_one_of_those_who_wait(tmp_path: Path) -> None:
    with Bell(tmp_path / "bell") as one, Bell(tmp_path / "bell") as two:
        one.ring()

        assert sorted([one.wait(0), two.wait(0)]) == [False, True]


def test_ringing_never_blocks_however_many_rings_nobody_hears(tmp_path: Path) -> None:
    with Bell(tmp_path / "bell") as bell:
        for _ in range(200_000):
            bell.ring()

        assert bell.wait(0)


def test_a_ring_reaches_another_process(tmp_path: Path) -> None:
    with Bell(tmp_path / "bell") as bell:
        waiter = subprocess.Popen(
            [sys.executable, "-c", WAITER, str(tmp_path / "bell")],
            stdout=subprocess.PIPE,
            env=os.environ | {"PYTHONPATH": "service"},
        )
        assert waiter.stdout is not None
        assert waiter.stdout.readline() == b"ready\n"

        bell.ring()

        assert waiter.communicate(timeout=20)[0] == b"True\n"


def test_a_waiter_that_was_killed_takes_no_bell_with_it(tmp_path: Path) -> None:
    with Bell(tmp_path / "bell") as bell:
        waiter = subprocess.Popen(
            [sys.executable, "-c", WAITER, str(tmp_path / "bell")],
            stdout=subprocess.PIPE,
            env=os.environ | {"PYTHONPATH": "service"},
        )
        assert waiter.stdout is not None
        waiter.stdout.readline()
        waiter.send_signal(signal.SIGKILL)
        waiter.communicate()

        bell.ring()

        assert bell.wait(5)


def test_many_processes_may_make_the_bell_at_once(tmp_path: Path) -> None:
    gate, bells = threading.Barrier(6), list[Bell]()

    def make() -> None:
        gate.wait()
        bells.append(Bell(tmp_path / "run" / "bell"))

    threads = [threading.Thread(target=make) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    bells[0].ring()

    assert bells[-1].wait(5)
    for bell in bells:
        bell.close()


@pytest.mark.parametrize("lane", list(Lane))
def test_the_embedded_queue_rings_for_every_lane(tmp_path: Path, lane: Lane) -> None:
    with Bell(tmp_path / "bell") as bell:
        EmbeddedQueue(bell).put(AnalysisId(7), lane)

        assert bell.wait(0)
