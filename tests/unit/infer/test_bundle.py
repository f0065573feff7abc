"""Bundles load when whole and as listed, and say in one line what is wrong otherwise."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from wetread.domain import Code, OperatingPoints
from wetread.errors import Misconfigured
from wetread.infer.bundle import load_bundles
from wetread.infer.signature import ANYONE

ASSETS = Path(__file__).parent / "assets"


def models_with(tmp_path: Path, *versions: str) -> Path:
    """A models folder with copies of the tiny bundle under these versions."""
    models = tmp_path / "models"
    for version in versions:
        folder = models / "tiny" / version
        shutil.copytree(ASSETS / "tiny" / "1.0.0", folder)
        change(folder, 'version = "1.0.0"', f'version = "{version}"')
    return models


def change(folder: Path, old: str, new: str) -> None:
    manifest = folder / "model.toml"
    text = manifest.read_text(encoding="utf-8")
    assert old in text
    manifest.write_text(text.replace(old, new), encoding="utf-8")


def test_load_bundles_reads_a_manifest() -> None:
    (bundle,) = load_bundles(ASSETS, ANYONE)

    first = bundle.manifest.findings[0]
    assert (bundle.id.name, bundle.id.version) == ("tiny", "1.0.0")
    assert bundle.id.digest == bundle.manifest.files["model.onnx"]
    assert first.code.to_code() == Code("125605004", "SCT", "Fracture of bone")
    assert first.operating_points.to_operating_points() == OperatingPoints(0.2, 0.6)
    assert bundle.manifest.reads.least_age_years is None
    assert bundle.card_path.read_text(encoding="utf-8").startswith("# tiny")
    assert bundle.model_path.is_file()


def test_load_bundles_takes_the_highest_version_by_number(tmp_path: Path) -> None:
    models = models_with(tmp_path, "1.9.0", "1.10.0", "1.2.11")

    (bundle,) = load_bundles(models, ANYONE)

    assert bundle.id.version == "1.10.0"


def test_load_bundles_passes_over_folders_without_a_manifest(tmp_path: Path) -> None:
    models = models_with(tmp_path, "1.0.0")
    (models / "training" / "data").mkdir(parents=True)
    (models / "training" / "train.py").touch()

    assert len(load_bundles(models, ANYONE)) == 1


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("schema = 2", "schema = 1", "schema"),
        ('name = "tiny"', 'name = "other"', "other"),
        ('version = "1.0.0"', 'version = "1.0.1"', "1.0.1"),
        ('licence = "Apache-2.0"', 'license = "Apache-2.0"', "licence"),
        ("std = 1.0", "std = 0.0", "input.std"),
        ("channels = 1", "channels = 2", "input.channels"),
        ('fit = "letterbox"', 'fit = "crop"', "input.fit"),
        ("sensitive = 0.2", "sensitive = 0.7", "operating_points"),
        ("a = 1.0", "a = nan", "calibration.a"),
        ("threshold = 0.5", "threshold = 1.5", "boxes.threshold"),
        ("[reads]", "[reads]\nlaterality = 1", "reads.laterality"),
        ('device_uid = "', 'device_uid = "x', "device_uid"),
        ("schema = 2", "schema = = 2", "model.toml"),
        ('"MODEL_CARD.md"', '"../MODEL_CARD.md"', "MODEL_CARD.md"),
    ],
)
def test_load_bundles_says_in_one_line_what_is_wrong_with_a_manifest(
    tmp_path: Path, old: str, new: str, says: str
) -> None:
    models = models_with(tmp_path, "1.0.0")
    change(models / "tiny" / "1.0.0", old, new)

    with pytest.raises(Misconfigured) as caught:
        load_bundles(models, ANYONE)

    assert says in str(caught.value)
    assert "\n" not in str(caught.value)


def test_load_bundles_refuses_a_file_that_was_changed(tmp_path: Path) -> None:
    models = models_with(tmp_path, "1.0.0")
    model = models / "tiny" / "1.0.0" / "model.onnx"
    model.write_bytes(model.read_bytes() + b"\0")

    with pytest.raises(Misconfigured, match=r"model\.onnx is not the file"):
        load_bundles(models, ANYONE)


def test_load_bundles_refuses_a_file_that_is_not_listed(tmp_path: Path) -> None:
    models = models_with(tmp_path, "1.0.0")
    (models / "tiny" / "1.0.0" / "weights.bin").touch()

    with pytest.raises(Misconfigured, match=r"does not list weights\.bin"):
        load_bundles(models, ANYONE)


def test_load_bundles_refuses_a_file_that_is_missing(tmp_path: Path) -> None:
    models = models_with(tmp_path, "1.0.0")
    (models / "tiny" / "1.0.0" / "MODEL_CARD.md").unlink()

    with pytest.raises(Misconfigured, match=r"MODEL_CARD\.md is listed"):
        load_bundles(models, ANYONE)


def test_load_bundles_refuses_a_file_outside_its_folder(tmp_path: Path) -> None:
    models = models_with(tmp_path, "1.0.0")
    change(models / "tiny" / "1.0.0", "[files]\n", f'[files]\n"../outside" = "{"0" * 64}"\n')

    with pytest.raises(Misconfigured, match="outside"):
        load_bundles(models, ANYONE)


def test_load_bundles_refuses_a_folder_that_is_no_version(tmp_path: Path) -> None:
    models = models_with(tmp_path, "1.0.0")
    (models / "tiny" / "1.0.0").rename(models / "tiny" / "latest")

    with pytest.raises(Misconfigured, match="latest"):
        load_bundles(models, ANYONE)


@pytest.mark.parametrize("folder", ["", "absent"])
def test_load_bundles_refuses_a_path_without_bundles(tmp_path: Path, folder: str) -> None:
    with pytest.raises(Misconfigured, match=r"models\.path"):
        load_bundles(tmp_path / folder)


def test_loading_bundles_and_decoding_do_not_import_onnxruntime() -> None:
    code = (
        "import sys, wetread.infer.bundle, wetread.infer.decode, wetread.infer.prepare; "
        "sys.exit('onnxruntime' in sys.modules)"
    )

    done = subprocess.run([sys.executable, "-c", code], env={"PYTHONPATH": ":".join(sys.path)}, check=False)

    assert done.returncode == 0
