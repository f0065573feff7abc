"""What `training.adapt` does with any set: doubles, broken images, splits, several sets in one folder."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pandas as pd
import pytest

from tests.unit.training import public_sets
from training.adapt import main
from training.dataset import hold_out, load_split, read_manifest


def run(name: str, source: Path, out: Path, *more: str) -> int:
    return main([name, str(source), "--out", str(out), "--folds", "4", *more])


def manifest(out: Path, name: str = "manifest.csv") -> pd.DataFrame:
    return pd.read_csv(out / name, dtype=str, keep_default_na=False)


def account(out: Path, name: str) -> dict[str, object]:
    facts: dict[str, object] = json.loads((out / f"adapted-{name}.json").read_text())
    return facts


def image_of(source: Path, number: int, kind: str = "Non_fractured") -> Path:
    return source / "images" / kind / f"IMG{number:07d}.jpg"


def test_training_reads_what_was_adapted_and_holds_out_patients_of_its_own(tmp_path: Path) -> None:
    source = public_sets.fracatlas(tmp_path / "set")
    assert run("fracatlas", source, tmp_path / "fracture") == 0

    samples = load_split(tmp_path / "fracture", "fracture", "train", stored_size=100)
    kept, held = hold_out(samples, folds=3, seed=1)

    assert {sample.label for sample in samples} == {0, 1}
    assert all(max(sample.image.shape) == 100 for sample in samples)
    positive = next(sample for sample in samples if sample.label)
    assert positive.boxes[0] == pytest.approx([edge / 3 for edge in public_sets.LESION], abs=0.1)
    assert not {sample.group for sample in kept} & {sample.group for sample in held}


def test_chest_sets_are_read_by_training_too(tmp_path: Path) -> None:
    assert run("rsna", public_sets.rsna(tmp_path / "rsna"), tmp_path / "chest") == 0
    assert run("nih", public_sets.nih(tmp_path / "nih", patients=40), tmp_path / "chest") == 0

    strong = load_split(tmp_path / "chest", "chest", "train", stored_size=None)
    weak = load_split(tmp_path / "chest", "chest", "train_weak", stored_size=None)

    assert {sample.label for sample in strong} == {0, 1}
    assert {sample.label for sample in weak} == {-1}


def test_a_patient_in_the_test_of_one_set_is_not_trained_on_through_another(tmp_path: Path) -> None:
    out = tmp_path / "chest"
    run("rsna", public_sets.rsna(tmp_path / "rsna"), out)
    tested = set(read_manifest(out, "internal_test")["group"])

    assert run("nih", public_sets.nih(tmp_path / "nih"), out) == 0

    table = manifest(out)
    weak = table[table["origin_dataset"] == "NIH ChestX-ray14"]
    assert tested
    assert not tested & set(weak["group"])
    assert account(out, "nih")["patient_stands_elsewhere"] == 2 * len(tested)
    assert len(list((out / "images" / "nih").rglob("*.jpg"))) == len(weak)


def test_the_same_command_again_gives_the_same_manifest(tmp_path: Path) -> None:
    source = public_sets.kermany(tmp_path / "set")
    run("kermany", source, tmp_path / "out")
    before = (tmp_path / "out" / "manifest.csv").read_bytes()

    run("kermany", source, tmp_path / "out")

    assert (tmp_path / "out" / "manifest.csv").read_bytes() == before


def test_another_seed_holds_out_other_patients(tmp_path: Path) -> None:
    source = public_sets.kermany(tmp_path / "set")
    run("kermany", source, tmp_path / "out")
    before = set(read_manifest(tmp_path / "out", "internal_test")["group"])

    run("kermany", source, tmp_path / "out", "--seed", "7")

    assert set(read_manifest(tmp_path / "out", "internal_test")["group"]) != before


def test_as_an_external_test_a_set_goes_whole_into_a_manifest_of_its_own(tmp_path: Path) -> None:
    source = public_sets.kermany(tmp_path / "set")
    run("kermany", source, tmp_path / "out")

    assert run("kermany", source, tmp_path / "out", "--external") == 0

    assert not (tmp_path / "out" / "manifest.csv").exists()
    assert set(manifest(tmp_path / "out", "external_manifest.csv")["split"]) == {"external_test"}


def test_of_equal_images_one_stays_and_their_patients_become_one(tmp_path: Path) -> None:
    source = public_sets.fracatlas(tmp_path / "set")
    shutil.copy(image_of(source, 0), image_of(source, 24))

    run("fracatlas", source, tmp_path / "out")

    table = manifest(tmp_path / "out")
    assert account(tmp_path / "out", "fracatlas")["doubles"] == ["images/Non_fractured/IMG0000024.jpg"]
    assert not table["original_path"].str.endswith("IMG0000024.jpg").any()
    twin = table[table["original_path"].str.endswith("IMG0000025.jpg")].iloc[0]
    assert twin["group"] == "fracatlas_0000"


def test_equal_images_with_both_labels_are_left_out_and_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source = public_sets.fracatlas(tmp_path / "set")
    shutil.copy(image_of(source, 0), image_of(source, 12, "Fractured"))

    run("fracatlas", source, tmp_path / "out")

    named = account(tmp_path / "out", "fracatlas")["contradictory"]
    assert named == ["images/Non_fractured/IMG0000000.jpg", "images/Fractured/IMG0000012.jpg"]
    assert len(manifest(tmp_path / "out")) == 46
    assert "2 images left out, the same pixels with both labels" in capsys.readouterr().out


def test_an_image_cut_short_is_left_out_and_named(tmp_path: Path) -> None:
    source = public_sets.fracatlas(tmp_path / "set")
    path = image_of(source, 0)
    path.write_bytes(path.read_bytes()[:2000])

    run("fracatlas", source, tmp_path / "out")

    assert account(tmp_path / "out", "fracatlas")["undecodable"] == ["images/Non_fractured/IMG0000000.jpg"]
    assert len(manifest(tmp_path / "out")) == 47


def test_a_missing_image_is_one_line_and_nothing_is_written(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source = public_sets.fracatlas(tmp_path / "set")
    image_of(source, 0).unlink()

    status = run("fracatlas", source, tmp_path / "out")

    lines = capsys.readouterr().err.strip().splitlines()
    assert status == 2
    assert len(lines) == 1
    assert lines[0].startswith("adapt: 1 of 48 images are missing, first ")
    assert not (tmp_path / "out").exists()


def test_a_download_in_part_is_taken_when_asked_for(tmp_path: Path) -> None:
    source = public_sets.fracatlas(tmp_path / "set")
    image_of(source, 0).unlink()

    assert run("fracatlas", source, tmp_path / "out", "--partial") == 0

    assert account(tmp_path / "out", "fracatlas")["absent"] == 1


def test_weak_labels_are_refused_as_a_test(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source = public_sets.nih(tmp_path / "set")

    assert run("nih", source, tmp_path / "out", "--external") == 2

    assert "too weak for a test" in capsys.readouterr().err


def test_too_few_patients_to_split_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source = public_sets.fracatlas(tmp_path / "set", patients=4)

    assert run("fracatlas", source, tmp_path / "out") == 1

    assert "2 groups cannot be split into 4 parts" in capsys.readouterr().err


def test_large_images_are_shrunk_with_their_boxes(tmp_path: Path) -> None:
    source = public_sets.fracatlas(tmp_path / "set")

    run("fracatlas", source, tmp_path / "out", "--size", "150")

    row = manifest(tmp_path / "out").query("label == '1'").iloc[0]
    assert (row["width"], row["height"], row["orig_width"], row["orig_height"]) == (
        "100",
        "150",
        "200",
        "300",
    )
    assert row["boxes_xyxy"] == "[[20.0, 45.0, 40.0, 75.0]]"


def test_a_set_whose_images_all_are_broken_is_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source = public_sets.fracatlas(tmp_path / "set")
    for path in (source / "images").rglob("*.jpg"):
        path.write_bytes(b"no picture")

    assert run("fracatlas", source, tmp_path / "out") == 2

    assert "none of the 48 images can be decoded, first " in capsys.readouterr().err


@pytest.mark.parametrize(("choice", "value"), [("--folds", "1"), ("--size", "0")])
def test_a_choice_that_cannot_be_meant_is_one_line(
    choice: str, value: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("kermany", tmp_path, tmp_path / "out", choice, value) == 2

    assert capsys.readouterr().err.startswith(f"adapt: {choice} {value}: ")
