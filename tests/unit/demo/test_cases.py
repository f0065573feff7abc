from __future__ import annotations

from pathlib import Path

import pytest

from tests.builders import small_film, write
from wetread.demo.cases import find_cases
from wetread.demo.main import run
from wetread.errors import Misconfigured


def test_files_that_are_no_study_are_counted_and_the_others_sent(tmp_path: Path) -> None:
    write(small_film("one", rows=16, columns=16), tmp_path)
    write(small_film("two", rows=16, columns=16, more={"StudyInstanceUID": None}), tmp_path)
    (tmp_path / "notes.txt").write_text("not an image")

    found = find_cases(tmp_path)

    assert (len(found.cases), found.skipped) == (1, 2)


def test_a_single_file_is_a_study_of_its_own(tmp_path: Path) -> None:
    path = write(small_film("one", rows=16, columns=16), tmp_path)

    found = find_cases(path)

    assert [case.files for case in found.cases] == [(path,)]


@pytest.mark.parametrize("name", ["missing", "empty"])
def test_wrong_images_are_told_before_the_old_results_are_removed(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "empty").mkdir()
    old = tmp_path / "home" / "demo" / "old.dcm"
    old.parent.mkdir(parents=True)
    old.write_bytes(b"kept")
    monkeypatch.setenv("WETREAD_HOME", str(tmp_path / "home"))

    with pytest.raises(Misconfigured, match="--images: "):
        run(images=tmp_path / name, keep=False)

    assert old.is_file()


def test_the_results_of_the_demo_before_are_not_cleared_while_they_are_to_be_sent(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent = tmp_path / "demo" / "sent"
    sent.mkdir(parents=True)
    path = write(small_film("one", rows=16, columns=16), sent)
    monkeypatch.setenv("WETREAD_HOME", str(tmp_path))

    with pytest.raises(Misconfigured, match="--images: "):
        run(images=sent, keep=False)

    assert path.is_file()
