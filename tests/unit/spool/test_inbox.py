from __future__ import annotations

import os
import re
import resource
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import find_tool, need
from wetread.errors import OutOfSpace, Transient
from wetread.spool.inbox import Inbox
from wetread.spool.objects import Spool

PUT = """
import sys
from pathlib import Path
from wetread.spool.objects import Spool
Spool(Path(sys.argv[1])).put([b"x" * 100_000], suffix="dcm")
"""


def files_in(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


@pytest.fixture
def tiny_disk(tmp_path: Path) -> Iterator[Path]:
    """A real file system of 1 MiB."""
    need(os.geteuid() == 0, "root, to mount a small file system")
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(folder)], check=False)
    if mounted.returncode != 0:
        pytest.skip("needs leave to mount a small file system")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def test_inbox_leaves_no_partial_file_when_the_disk_is_full(tiny_disk: Path) -> None:
    spool = Spool(tiny_disk)

    with pytest.raises(OutOfSpace):
        spool.put([b"a" * 400_000, b"b" * 4_000_000], suffix="dcm")

    assert files_in(tiny_disk) == []


def test_spool_takes_objects_again_once_the_disk_has_room(tiny_disk: Path) -> None:
    spool = Spool(tiny_disk)
    filler = tiny_disk / "filler"
    with pytest.raises(OSError, match="No space"):
        filler.write_bytes(b"f" * 4_000_000)
    with pytest.raises(OutOfSpace):
        spool.put([b"a" * 100_000], suffix="dcm")
    filler.unlink()

    key = spool.put([b"a" * 100_000], suffix="dcm")

    assert spool.read(key) == b"a" * 100_000


def test_inbox_leaves_no_partial_file_when_a_file_may_not_grow(tmp_path: Path) -> None:
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    spool = Spool(tmp_path)
    resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, before[1]))

    try:
        with pytest.raises(OutOfSpace):
            spool.put([b"x" * 40_000, b"y" * 40_000], suffix="dcm")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)

    assert files_in(tmp_path) == []


def test_inbox_says_transient_when_its_folder_is_gone(tmp_path: Path) -> None:
    inbox = Inbox(tmp_path / "incoming")
    (tmp_path / "incoming").rmdir()

    with pytest.raises(Transient) as raised:
        inbox.write([b"x"], target=tmp_path / "target")

    assert not isinstance(raised.value, OutOfSpace)


def test_inbox_sweeps_what_a_killed_process_left_an_hour_ago_and_nothing_younger(tmp_path: Path) -> None:
    inbox = Inbox(tmp_path)
    (tmp_path / "old").write_bytes(b"half")
    (tmp_path / "young").write_bytes(b"half")
    os.utime(tmp_path / "old", (0, 0))

    swept = inbox.sweep()

    assert swept == 1
    assert [path.name for path in tmp_path.iterdir()] == ["young"]


def test_put_writes_syncs_renames_and_syncs_the_folder_in_that_order(tmp_path: Path) -> None:
    trace = tmp_path / "trace"
    calls = "trace=openat,write,fsync,rename,renameat,renameat2"
    command = [find_tool("strace"), "-f", "-y", "-o", str(trace), "-e", calls, sys.executable, "-c", PUT]

    subprocess.run(
        [*command, str(tmp_path / "spool")], check=True, env=os.environ | {"PYTHONPATH": "service"}
    )

    steps = re.sub(r"^\d+ +", "", trace.read_text(), flags=re.M).splitlines()
    own = [
        step for step in steps if "/incoming/" in step or ("/objects/" in step and step.startswith("fsync"))
    ]
    assert [step.split("(")[0] for step in own] == ["openat", "write", "fsync", "rename", "fsync"]
    assert "/incoming/" in own[2]
    assert re.search(r"/objects/[0-9a-f]{2}>", own[4])
