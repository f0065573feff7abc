from __future__ import annotations

import hashlib
import stat
import threading
from pathlib import Path

import pytest

from wetread.domain import SpoolKey
from wetread.errors import NotFound, OutOfSpace
from wetread.spool.objects import Spool


def test_spool_gives_back_what_was_put_in_pieces(tmp_path: Path) -> None:
    spool = Spool(tmp_path)

    key = spool.put([b"one", memoryview(b"two")], suffix="dcm")

    assert spool.read(key) == b"onetwo"
    assert key == f"{key[:2]}/{hashlib.sha256(b'onetwo').hexdigest()}.dcm"


def test_spool_gives_the_same_key_for_the_same_bytes_and_keeps_one_file(tmp_path: Path) -> None:
    spool = Spool(tmp_path)

    keys = {spool.put([b"same"], suffix="dcm"), spool.put([b"sa", b"me"], suffix="dcm")}

    assert len(keys) == 1
    assert len([path for path in tmp_path.rglob("*") if path.is_file()]) == 1


def test_spool_keeps_one_file_when_many_threads_put_the_same_bytes_at_once(tmp_path: Path) -> None:
    spool, keys = Spool(tmp_path), list[SpoolKey]()
    gate = threading.Barrier(8)

    def put() -> None:
        gate.wait()
        keys.append(spool.put([b"x" * 500_000], suffix="dcm"))

    threads = [threading.Thread(target=put) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(keys) == 8
    assert len(set(keys)) == 1
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == [spool.path(keys[0])]


@pytest.mark.parametrize(
    "key",
    [
        "../../etc/passwd",
        "ab/../../etc/passwd",
        "/etc/passwd",
        "",
        "ab/" + "a" * 64,
        "ab/" + "A" * 64 + ".dcm",
        "ab/" + "a" * 64 + ".dcm\n",
        "ab/" + "a" * 64 + ".d/m",
    ],
)
def test_spool_refuses_a_key_that_it_did_not_make(tmp_path: Path, key: str) -> None:
    spool = Spool(tmp_path)

    with pytest.raises(NotFound):
        spool.path(SpoolKey(key))


def test_spool_refuses_a_suffix_that_would_leave_its_folder(tmp_path: Path) -> None:
    spool = Spool(tmp_path)

    with pytest.raises(NotFound):
        spool.put([b"x"], suffix="/../../x")

    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_spool_says_not_found_for_an_object_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(NotFound):
        Spool(tmp_path).read(SpoolKey("ab/" + "a" * 64 + ".dcm"))


def test_spool_takes_nothing_below_its_watermark_but_still_knows_what_it_has(tmp_path: Path) -> None:
    key = Spool(tmp_path).put([b"old"], suffix="dcm")
    full = Spool(tmp_path, watermark_bytes=2**60)

    with pytest.raises(OutOfSpace):
        full.put([b"new"], suffix="dcm")

    assert not full.has_room()
    assert full.put([b"old"], suffix="dcm") == key


def test_spool_is_closed_to_other_users(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "spool")

    key = spool.put([b"x"], suffix="dcm")

    for path in (spool.path(key), spool.path(key).parent, tmp_path / "spool" / "incoming"):
        assert stat.S_IMODE(path.stat().st_mode) & 0o077 == 0
