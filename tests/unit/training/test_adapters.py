"""Each public set, in miniature and as published, becomes a manifest that says what its makers said."""

from __future__ import annotations

import ast
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pytest

from tests.unit.training import public_sets
from training.adapt import SETS, Choices, adapt
from training.adapters.published import NotAsPublished

Build = Callable[[Path], Path]
BUILDERS: dict[str, Build] = {
    "fracatlas": public_sets.fracatlas,
    "grazpedwri": public_sets.grazpedwri,
    "rsna": public_sets.rsna,
    "nih": public_sets.nih,
    "kermany": public_sets.kermany,
}


def adapted(name: str, source: Path, out: Path, **choices: object) -> pd.DataFrame:
    adapt(SETS[name], source, out, Choices(folds=4, **choices))  # type: ignore[arg-type]  # a test names any
    return pd.read_csv(out / "manifest.csv", dtype=str, keep_default_na=False)


def first_positive(table: pd.DataFrame) -> dict[str, str]:
    return dict(table[table["label"] == "1"].iloc[0])


@pytest.mark.parametrize("name", BUILDERS)
def test_every_image_of_a_set_comes_once_with_its_label_and_the_columns_readers_need(
    name: str, tmp_path: Path
) -> None:
    source = BUILDERS[name](tmp_path / "set")

    table = adapted(name, source, tmp_path / "out")

    assert table["file"].is_unique
    assert set(table["label"]) == {"0", "1"}
    assert {"file", "split", "label", "label_quality", "boxes_xyxy", "group", "licence"} <= set(table.columns)
    for file, width, height in zip(table["file"], table["width"], table["height"], strict=True):
        image = cv2.imread(str(tmp_path / "out" / file), cv2.IMREAD_UNCHANGED)
        assert image is not None
        assert image.shape == (int(height), int(width))


@pytest.mark.parametrize("name", ["fracatlas", "grazpedwri", "rsna", "kermany"])
def test_no_patient_of_a_set_is_in_two_splits_and_both_splits_have_both_labels(
    name: str, tmp_path: Path
) -> None:
    source = BUILDERS[name](tmp_path / "set")

    table = adapted(name, source, tmp_path / "out")

    is_test = table["split"] == "internal_test"
    assert not set(table[is_test]["group"]) & set(table[~is_test]["group"])
    assert set(table[is_test]["label"]) == set(table[~is_test]["label"]) == {"0", "1"}


@pytest.mark.parametrize("form", ["PASCAL VOC", "YOLO", "COCO JSON"])
def test_fracatlas_gives_the_same_boxes_in_each_form_of_its_annotations(form: str, tmp_path: Path) -> None:
    source = public_sets.fracatlas(tmp_path / "set", form=form)

    table = adapted("fracatlas", source, tmp_path / "out")

    boxes = table[table["label"] == "1"]["boxes_xyxy"].map(ast.literal_eval)
    assert all(np.allclose(box, [public_sets.LESION], atol=0.1) for box in boxes)
    assert set(table[table["label"] == "0"]["boxes_xyxy"]) == {"[]"}
    assert first_positive(table)["body_part"] == "hand"
    assert set(table["hardware"]) == {"0", "1"}


def test_grazpedwri_gives_only_fractures_as_boxes_and_shows_sixteen_bits_as_eight(tmp_path: Path) -> None:
    source = public_sets.grazpedwri(tmp_path / "set")

    table = adapted("grazpedwri", source, tmp_path / "out")

    row = first_positive(table)
    assert np.allclose(ast.literal_eval(row["boxes_xyxy"]), [public_sets.LESION], atol=0.1)
    assert set(table[table["label"] == "0"]["boxes_xyxy"]) == {"[]"}
    assert (row["age"], row["sex"], row["vendor"], row["views"]) == ("9.5", "F", "Siemens", "frontal")
    shown = cv2.imread(str(tmp_path / "out" / row["file"]), cv2.IMREAD_UNCHANGED)
    assert shown is not None
    assert (int(shown.min()), int(shown.max())) == (0, 255)


def test_rsna_gathers_the_boxes_of_an_image_and_takes_the_patient_from_the_mapping(tmp_path: Path) -> None:
    source = public_sets.rsna(tmp_path / "set")

    table = adapted("rsna", source, tmp_path / "out")

    row = first_positive(table)
    assert ast.literal_eval(row["boxes_xyxy"]) == [
        [float(edge) for edge in public_sets.LESION],
        [10.0, 20.0, 40.0, 60.0],
    ]
    assert row["rsna_class"] == "Lung Opacity"
    assert (row["age"], row["sex"], row["view"]) == ("51", "F", "PA")
    assert table["group"].nunique() == 16
    assert row["group"].startswith("nih_")


def test_rsna_without_the_mapping_says_how_many_patients_it_does_not_know(tmp_path: Path) -> None:
    source = public_sets.rsna(tmp_path / "set", has_mapping=False)

    account = adapt(SETS["rsna"], source, tmp_path / "out", Choices(folds=4))

    assert account.patients_unknown == 32


def test_nih_labels_never_become_truth(tmp_path: Path) -> None:
    source = public_sets.nih(tmp_path / "set")

    table = adapted("nih", source, tmp_path / "out")

    assert set(table["split"]) == {"train_weak"}
    assert set(table["age"]) == {"58"}
    boxed = table[table["boxes_xyxy"].str.startswith("[[")]
    assert list(boxed["nih_image"]) == ["00000001_000.png", "00000001_001.png"]
    assert ast.literal_eval(boxed["boxes_xyxy"].iloc[0]) == [[float(edge) for edge in public_sets.LESION]]


def test_kermany_keeps_the_kind_of_pneumonia_and_leaves_a_macs_twin_alone(tmp_path: Path) -> None:
    source = public_sets.kermany(tmp_path / "set")

    table = adapted("kermany", source, tmp_path / "out")

    assert len(table) == 32
    assert set(table["sublabel"]) == {"normal", "bacteria", "virus"}
    assert set(table["official_split"]) == {"train", "test"}
    assert set(table[table["label"] == "1"]["boxes_xyxy"]) == {""}, "nobody drew boxes"


def test_kermany_is_read_under_mendeleys_file_names_too(tmp_path: Path) -> None:
    source = public_sets.kermany(tmp_path / "set")
    for path in sorted(source.rglob("*_bacteria_*.jpeg")):
        person = path.stem.split("_")[0].removeprefix("person")
        path.rename(path.with_name(f"BACTERIA-{person}-0001{path.stem[-1]}.jpeg"))

    table = adapted("kermany", source, tmp_path / "out")

    renamed = table[table["sublabel"] == "bacteria"]
    assert set(renamed["group"]) == {f"kermany_R_{patient}" for patient in range(1, 16, 2)}


@pytest.mark.parametrize(
    ("name", "missing"),
    [
        ("fracatlas", "dataset.csv"),
        ("grazpedwri", "dataset.csv"),
        ("rsna", "stage_2_detailed_class_info.csv"),
        ("nih", "BBox_List_2017.csv"),
    ],
)
def test_a_set_without_one_of_its_tables_is_told_in_one_line(name: str, missing: str, tmp_path: Path) -> None:
    source = BUILDERS[name](tmp_path / "set")
    (source / missing).unlink()

    with pytest.raises(NotAsPublished, match=rf"^.*{missing} is missing$"):
        adapt(SETS[name], source, tmp_path / "out", Choices())


@pytest.mark.parametrize(
    ("name", "table", "column"),
    [
        ("fracatlas", "dataset.csv", "fractured"),
        ("grazpedwri", "dataset.csv", "fracture_visible"),
        ("rsna", "stage_2_train_labels.csv", "Target"),
        ("nih", "Data_Entry_2017.csv", "Finding Labels"),
    ],
)
def test_a_table_whose_column_has_another_name_is_told_in_one_line(
    name: str, table: str, column: str, tmp_path: Path
) -> None:
    source = BUILDERS[name](tmp_path / "set")
    text = (source / table).read_text()
    (source / table).write_text(text.replace(column, "other", 1))

    with pytest.raises(NotAsPublished, match=rf"^.*{table} has no column {column}; it has [^\n]*$"):
        adapt(SETS[name], source, tmp_path / "out", Choices())


@pytest.mark.parametrize("name", BUILDERS)
def test_an_empty_folder_is_no_set(name: str, tmp_path: Path) -> None:
    (tmp_path / "set").mkdir()

    with pytest.raises(NotAsPublished, match="is missing"):
        adapt(SETS[name], tmp_path / "set", tmp_path / "out", Choices())


@pytest.mark.parametrize(
    ("file", "text", "told"),
    [
        ("PASCAL VOC", "<annotation><object>", "not in Pascal VOC form"),
        ("PASCAL VOC", "<a><bndbox><xmin>1</xmin></bndbox></a>", "not in Pascal VOC form"),
        ("YOLO", "0 0.5 0.5\n", "not in YOLO form"),
        ("COCO JSON", '{"images": []}', "not in COCO form"),
    ],
)
def test_broken_annotations_are_told_in_one_line(file: str, text: str, told: str, tmp_path: Path) -> None:
    source = public_sets.fracatlas(tmp_path / "set", form=file)
    sorted((source / "Annotations" / file).iterdir())[0].write_text(text)

    with pytest.raises(NotAsPublished, match=rf"^[^\n]*{told}[^\n]*$"):
        adapt(SETS["fracatlas"], source, tmp_path / "out", Choices())
