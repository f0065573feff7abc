from __future__ import annotations

from pathlib import Path

import pytest

from tests.builders import small_film, write
from tests.system.child import free_port
from tests.unit.deliver.pacs import pacs
from wetread.deliver.send import Sent, find_files, run, send_files
from wetread.errors import Misconfigured, WetreadError

pytestmark = pytest.mark.filterwarnings(
    "ignore::pytest.PytestUnraisableExceptionWarning"  # pynetdicom leaves a refused socket to the collector
)
DX = "1.2.840.10008.5.1.4.1.1.1.1"


def test_files_and_folders_are_sent_and_each_gets_its_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "study"
    folder.mkdir()
    write(small_film("one", rows=16, columns=16), folder)
    write(small_film("two", rows=16, columns=16), folder)

    with pacs(classes=[DX]) as there:
        status = run([folder], to=f"PACS@127.0.0.1:{there.port}", caller="MODALITY")

    assert status == 0
    assert capsys.readouterr().out.count("0x0000") == 2
    assert len(there.received) == 2


def test_what_is_not_dicom_or_not_taken_is_told_and_fails_the_run(tmp_path: Path) -> None:
    good = write(small_film("good", rows=16, columns=16), tmp_path)
    cr = write(small_film("cr", rows=16, columns=16, is_cr=True), tmp_path)
    text = tmp_path / "notes.txt"
    text.write_text("not an image")

    with pacs(classes=[DX]) as there:
        sent = list(send_files([good, cr, text], destination=there.destination, calling_aet="MODALITY"))
        status = run([text], to=f"PACS@127.0.0.1:{there.port}", caller="MODALITY")

    assert [(item.status, item.is_taken) for item in sent] == [
        ("0x0000", True),
        ("no_context", False),
        ("not DICOM", False),
    ]
    assert status == 1


def test_nobody_there_is_told_and_fails_the_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = write(small_film("one", rows=16, columns=16), tmp_path)

    status = run([path], to=f"PACS@127.0.0.1:{free_port()}", caller="MODALITY")

    assert status == 1
    assert "unreachable" in capsys.readouterr().out


@pytest.mark.parametrize("to", ["", "PACS", "PACS@host", "@host:1", "PACS@host:port", "A" * 17 + "@host:1"])
def test_an_address_that_cannot_be_read_is_one_clear_line(to: str) -> None:
    with pytest.raises(Misconfigured, match="AET@HOST:PORT"):
        run([], to=to, caller="MODALITY")


def test_folders_are_searched_in_order(tmp_path: Path) -> None:
    (tmp_path / "b").mkdir()
    for name in ("b/2", "b/1", "a"):
        (tmp_path / name).write_text("x")

    assert [path.name for path in find_files([tmp_path])] == ["a", "1", "2"]


@pytest.mark.parametrize(
    ("to", "caller", "says"),
    [
        ("PACS@host:0", "MODALITY", "--to: a port is 1 to 65535, not 0"),
        ("PACS@host:99999", "MODALITY", "--to: a port is 1 to 65535, not 99999"),
        ("PACS@host:104", "SEVENTEEN_LETTERS", "--from: an AE title has"),
    ],
)
def test_a_port_or_title_out_of_range_is_one_clear_line(to: str, caller: str, says: str) -> None:
    with pytest.raises(Misconfigured, match=says):
        run([], to=to, caller=caller)


def test_a_path_that_does_not_exist_is_told_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    status = run([tmp_path / "gone.dcm"], to="PACS@127.0.0.1:104", caller="MODALITY")

    assert status == 1
    assert capsys.readouterr().out.startswith("no such file ")


def test_an_empty_folder_is_told_so(tmp_path: Path) -> None:
    with pytest.raises(WetreadError, match="nothing to send"):
        run([tmp_path], to="PACS@127.0.0.1:104", caller="MODALITY")


@pytest.mark.parametrize(
    ("status", "meaning"),
    [
        ("0xA700", "out of resources"),
        ("0xA900", "data set does not match SOP class"),
        ("0xC000", "cannot understand"),
        ("0xC123", "cannot understand"),
        ("0x0122", "SOP class not supported"),
        ("not DICOM", ""),
    ],
)
def test_a_refused_file_is_told_with_the_meaning_of_its_status(status: str, meaning: str) -> None:
    assert Sent(Path("x"), status, is_taken=False).meaning == meaning
