"""`wetread models`: what it prints and how it ends."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import pytest

from tests.bundles import KEY, PUBLIC_KEY, brightness_classifier, drop, examples
from wetread.cli import main
from wetread.config import PROJECT_KEY
from wetread.infer.seal import sign
from wetread.infer.signature import key_id, read_key, to_public

ASSETS = Path(__file__).parent / "infer" / "assets"


@pytest.fixture
def models(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A models folder with a classifier and the tiny network, both signed with the tests' key, trusted."""
    folder = tmp_path / "models"
    drop(folder, examples()["chest-labels"], brightness_classifier(gains=((0, 1, 0), (0, 0, 0), (0, 0, 0))))
    shutil.copytree(ASSETS / "tiny", folder / "tiny")
    sign(folder / "tiny" / "1.0.0", KEY)
    monkeypatch.setenv("WETREAD_HOME", str(tmp_path))
    monkeypatch.setenv("WETREAD_MODELS__PATH", str(folder))
    monkeypatch.setenv("WETREAD_MODELS__TRUSTED_KEYS", json.dumps([PUBLIC_KEY]))
    return folder


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, list[str], str]:
    """Exit status, lines printed, what went to standard error."""
    status = main(["models", *arguments])
    printed = capsys.readouterr()
    return status, printed.out.splitlines(), printed.err


def test_models_are_listed_in_columns(models: Path, capsys: pytest.CaptureFixture[str]) -> None:
    status, lines, _ = run(capsys, "list")

    assert status == 0
    assert [re.split(r"  +", line) for line in lines] == [
        ["chest-labels", "1.0.0", "classification", "Opacity and effusion on frontal chest radiographs"],
        ["tiny", "1.0.0", "classification", "Brightest cell"],
    ]
    assert lines[0].index("classification") == lines[1].index("classification")


def test_a_models_card_is_shown(models: Path, capsys: pytest.CaptureFixture[str]) -> None:
    status, lines, _ = run(capsys, "show", "tiny")

    assert status == 0
    assert lines[0] == "# tiny"


@pytest.mark.parametrize("action", ["show", "verify"])
def test_a_model_that_is_not_there_is_said(
    models: Path, capsys: pytest.CaptureFixture[str], action: str
) -> None:
    status, _, error = run(capsys, action, "absent")

    assert status == 1
    assert error == "wetread: no model named 'absent': see `wetread models list`\n"


def test_verifying_prints_a_line_per_model_under_its_heads(
    models: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    status, lines, _ = run(capsys, "verify")

    heads, chest, tiny = (re.split(r"  +", line) for line in lines)
    signer = key_id(PUBLIC_KEY)
    assert status == 0
    assert heads == [
        "model",
        "version",
        "signed by",
        "files",
        "golden cases",
        "largest difference",
        "provider",
        "result",
    ]
    assert chest == ["chest-labels", "1.0.0", signer, "2 as sealed", "none", "0.0000", "CPU", "good"]
    assert tiny[0] == "tiny"
    assert {line.index("good") for line in lines[1:]} == {lines[0].index("result")}


def test_verifying_goes_on_past_a_model_that_is_damaged_and_ends_with_1(
    models: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (models / "chest-labels" / "1.0.0" / "MODEL_CARD.md").write_text("# Perfect\n")

    status, lines, _ = run(capsys, "verify")

    assert status == 1
    assert "FAILED: MODEL_CARD.md is not the file that [files] describes; get the bundle again" in lines[1]
    assert lines[2].endswith("good")


def test_verifying_fails_when_a_golden_case_does(models: Path, capsys: pytest.CaptureFixture[str]) -> None:
    case = {"phantom": "chest", "seed": 3, "tolerance": 0.01, "expected_probability": 0.0}
    (models / "tiny" / "1.0.0" / "golden.json").write_text(json.dumps([case]))
    sign(models / "tiny" / "1.0.0", KEY)

    status, lines, _ = run(capsys, "verify", "tiny")

    assert status == 1
    assert "0 of 1 passed" in lines[1]
    assert lines[1].endswith("FAILED")


def test_a_bundle_without_a_signature_is_verified_where_that_is_allowed(
    models: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (models / "tiny" / "1.0.0" / "model.sig").unlink()
    refused, lines, _ = run(capsys, "verify", "tiny")
    monkeypatch.setenv("WETREAD_MODELS__ALLOW_UNSIGNED", "true")

    allowed, more, _ = run(capsys, "verify", "tiny")

    assert (refused, allowed) == (1, 0)
    assert "FAILED: not signed: there is no model.sig" in lines[1]
    assert "nobody (allowed)" in more[1]


def test_a_key_is_made_and_signs_and_what_to_trust_is_told(
    models: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    key = tmp_path / "my.key"
    folder = models / "tiny" / "1.0.0"

    made, told, _ = run(capsys, "keygen", str(key))
    signed, lines, _ = run(capsys, "sign", str(folder), "--key", str(key))

    public = to_public(read_key(key))
    assert (made, signed) == (0, 0)
    assert f"public key:  {public} (id {key_id(public)})" in told
    assert lines[0] == f"tiny 1.0.0: 2 files sealed, signed with key {key_id(public)}"
    assert lines[-1] == f'trusted_keys = ["{PUBLIC_KEY}", "{public}"]'


def test_signing_with_a_trusted_key_asks_for_nothing_more(
    models: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = tmp_path / "my.key"
    run(capsys, "keygen", str(key))
    public = to_public(read_key(key))
    monkeypatch.setenv("WETREAD_MODELS__TRUSTED_KEYS", json.dumps([PROJECT_KEY, public]))

    _, lines, _ = run(capsys, "sign", str(models / "tiny" / "1.0.0"), "--key", str(key))

    assert len(lines) == 1


@pytest.mark.parametrize("folder", ["nowhere", "."])
def test_signing_what_is_no_bundle_is_one_clear_line_and_exit_2(
    models: Path,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    folder: str,
) -> None:
    run(capsys, "keygen", str(tmp_path / "my.key"))
    monkeypatch.chdir(tmp_path)

    status, lines, error = run(capsys, "sign", folder, "--key", "my.key")

    assert (status, lines) == (2, [])
    assert error.startswith("wetread: ")
    assert "model.toml: No such file or directory" in error
    assert error.count("\n") == 1
