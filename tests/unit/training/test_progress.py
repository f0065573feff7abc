"""The progress bar counts on from where a run was stopped; the record says what it ran on."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from training.progress import bar
from training.record import commit_of, describe_surroundings


def test_the_bar_goes_on_from_where_the_run_was_stopped(capsys: pytest.CaptureFixture[str]) -> None:
    with bar(10, "frames", done=7) as progress:
        for _ in range(3):
            progress.step(0.5)

    last = capsys.readouterr().err.rstrip().rpartition("\r")[2]
    assert "frames: 100%" in last
    assert "10/10" in last
    assert "loss 0.5000" in last


def test_the_bar_shows_a_running_mean_of_the_loss(capsys: pytest.CaptureFixture[str]) -> None:
    with bar(2, "frames") as progress:
        progress.step(1.0)
        progress.step(0.0)

    assert "loss 0.9500" in capsys.readouterr().err


def test_a_line_said_meanwhile_is_not_lost(capsys: pytest.CaptureFixture[str]) -> None:
    with bar(2, "frames") as progress:
        progress.step()
        progress.say("held-out fold: AUC 0.8")
        progress.step()

    assert "held-out fold: AUC 0.8\n" in capsys.readouterr().err


def test_the_record_names_software_and_machine() -> None:
    facts = describe_surroundings()

    versions = facts["versions"]
    assert isinstance(versions, dict)
    assert {"python", "numpy", "scikit-learn"} <= set(versions)
    assert facts["cores"]


def test_the_commit_says_when_files_were_changed_since(tmp_path: Path) -> None:
    git = ["git", "-C", str(tmp_path), "-c", "user.name=t", "-c", "user.email=t@example.org"]
    subprocess.run([*git, "init", "-q"], check=True)
    (tmp_path / "file").write_text("one")
    subprocess.run([*git, "add", "file"], check=True)
    subprocess.run([*git, "commit", "-q", "-m", "first"], check=True)

    clean = commit_of(tmp_path)
    (tmp_path / "file").write_text("two")
    changed = commit_of(tmp_path)

    assert clean is not None
    assert len(clean) == 40
    assert changed == f"{clean}+changes"


def test_outside_a_repository_there_is_no_commit(tmp_path: Path) -> None:
    assert commit_of(tmp_path) is None
