from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from wetread.cli import main

VERBS = ("demo", "serve", "listen", "work", "api", "send", "models")


def run(*arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("WETREAD_")}
    return subprocess.run(
        [sys.executable, "-m", "wetread", *arguments],
        capture_output=True,
        text=True,
        check=False,
        env=environment | settings,
        timeout=60,
    )


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_has_help_with_an_example(verb: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main([verb, "--help"])

    assert ended.value.code == 0
    assert "example: " in capsys.readouterr().out.replace("\n", " ")


def test_help_names_every_verb(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--help"])

    printed = capsys.readouterr().out
    assert all(f"    {verb} " in printed for verb in VERBS)


def test_an_unknown_verb_is_a_usage_error() -> None:
    with pytest.raises(SystemExit) as ended:
        main(["fly"])

    assert ended.value.code == 2


@pytest.mark.parametrize("verb", ["serve", "listen", "work", "api"])
def test_a_wrong_setting_is_one_clear_line_and_exit_2(verb: str, tmp_path: Path) -> None:
    done = run(verb, WETREAD_HOME=str(tmp_path), WETREAD_DICOM__PORT="0")

    assert done.returncode == 2
    assert done.stderr.startswith("wetread: setting dicom.port: ")
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize("verb", ["serve", "listen", "work", "api"])
def test_a_folder_without_models_is_one_clear_line_and_exit_2(verb: str, tmp_path: Path) -> None:
    done = run(verb, WETREAD_HOME=str(tmp_path), WETREAD_MODELS__PATH=str(tmp_path))

    assert done.returncode == 2
    assert "models.path: " in done.stderr
    assert "Traceback" not in done.stderr


def test_a_home_that_cannot_be_made_is_one_clear_line_and_exit_2(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")

    done = run("listen", WETREAD_HOME=str(tmp_path / "file" / "home"))

    assert done.returncode == 2
    assert "setting home" in done.stderr
    assert "Traceback" not in done.stderr


def test_sending_to_an_address_that_cannot_be_read_is_exit_2(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["send", "x.dcm", "--to", "nowhere"]) == 2
    assert capsys.readouterr().err.startswith("wetread: --to: ")
