from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.builders import small_film, write
from tests.bundles import PUBLIC_KEY, brightness_guard, drop, examples
from tests.system.child import free_port
from wetread.cli import main
from wetread.domain import SOFTWARE_VERSION
from wetread.infer.signature import key_id

VERBS = ("demo", "serve", "listen", "work", "api", "send", "models", "evaluate")


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


@pytest.mark.parametrize("verb", ["serve", "listen", "work", "api"])
def test_no_door_opens_on_a_bundle_of_a_stranger(verb: str, tmp_path: Path) -> None:
    drop(tmp_path / "models", examples()["picture"], brightness_guard())

    done = run(verb, WETREAD_HOME=str(tmp_path), WETREAD_MODELS__PATH=str(tmp_path / "models"))

    assert done.returncode == 2
    [line] = [line for line in done.stderr.splitlines() if line.startswith("wetread: ")]
    assert f"signed with key {key_id(PUBLIC_KEY)}, which is not trusted here" in line
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


def test_a_listener_that_cannot_bind_says_why_and_leaves_a_ledger_for_its_owner_alone(tmp_path: Path) -> None:
    # TEST-NET-1 (RFC 5737): an address that no machine has.
    done = run("listen", WETREAD_HOME=str(tmp_path), WETREAD_DICOM__HOST="192.0.2.1")

    assert done.returncode == 2
    assert "wetread: setting dicom.host / dicom.port: cannot listen on 192.0.2.1:11112: " in done.stderr
    assert "Cannot assign requested address" in done.stderr
    assert (tmp_path / "ledger.db").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("verb", ["serve", "listen", "work", "api"])
def test_a_home_in_an_impossible_place_is_named_as_the_home(verb: str) -> None:
    done = run(verb, WETREAD_HOME="/proc/nope")

    assert done.returncode == 2
    assert "setting home: " in done.stderr
    assert "spool.url" not in done.stderr


def test_the_service_says_which_file_its_settings_come_from(tmp_path: Path) -> None:
    config = tmp_path / "wetread.toml"
    config.write_text("[log]\nlevel = 'INFO'\n")

    # An address of nobody here: it ends as the listener starts.
    done = run("serve", WETREAD_HOME=str(tmp_path), WETREAD_DICOM__HOST="192.0.2.1")

    assert done.returncode == 2
    assert f"settings are good config={config}" in done.stderr


def test_the_version_can_be_asked(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["--version"])

    assert ended.value.code == 0
    assert capsys.readouterr().out == f"wetread {SOFTWARE_VERSION}\n"


def test_showing_no_model_in_particular_is_exit_2_with_the_names(tmp_path: Path) -> None:
    done = run("models", "show", WETREAD_HOME=str(tmp_path))

    assert done.returncode == 2
    assert done.stderr.startswith("wetread: models show: name a model (")


def test_the_help_of_send_describes_what_it_takes(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["send", "--help"])

    printed = capsys.readouterr().out
    assert "a DICOM file, or a folder of them" in printed
    assert "WETREAD@127.0.0.1:11112" in printed
    assert "the AE title to call with" in printed


def test_wrong_images_for_the_demo_are_one_clear_line_and_exit_2(tmp_path: Path) -> None:
    done = run("demo", "--images", str(tmp_path / "gone"), WETREAD_HOME=str(tmp_path))

    assert done.returncode == 2
    assert done.stderr.startswith("wetread: --images: no such file or folder: ")
    assert done.stdout == ""


def test_what_libraries_warn_of_a_file_does_not_reach_the_output_of_send(tmp_path: Path) -> None:
    path = write(small_film("one", rows=16, columns=16), tmp_path)
    # pydicom warns of a value that is no UID, and quotes it.
    path.write_bytes(
        path.read_bytes().replace(b"1.2.840.10008.5.1.4.1.1.1.1", b"1.2.840.SECRET.1.4.1.1.1.1.")
    )

    done = run("send", str(path), "--to", f"PACS@127.0.0.1:{free_port()}")

    assert done.returncode == 1
    assert "SECRET" not in done.stdout + done.stderr
    assert done.stderr == ""
