"""Labelled films as training reads them: splits, shrunk boxes, folds, digest."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.unit.training.public_sets import picture, write_image, write_rows
from training.dataset import Sample, data_digest, hold_out, load_split

HEADER = "file,split,label,boxes_xyxy,group,body_part,views,hardware"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Twelve groups of two films, every third group broken, and one film with a weak label."""
    rows: list[list[object]] = []
    for number in range(24):
        group, file = number // 2, f"images/{number}.jpg"
        broken = group % 3 == 0
        write_image(tmp_path / file, picture(number))
        boxes = "[[40, 90, 80, 150]]" if broken else "[]"
        rows.append([file, "train", int(broken), boxes, f"g{group}", "leg", "frontal,lateral", int(broken)])
    write_image(tmp_path / "images/weak.jpg", picture(99))
    rows.append(["images/weak.jpg", "train_weak", 1, "", "g99", "leg", "frontal", 0])
    write_rows(tmp_path / "manifest.csv", HEADER, rows)
    return tmp_path


def read(folder: Path, split: str = "train", *, stored_size: int | None = None) -> list[Sample]:
    return load_split(folder, "fracture", split, stored_size=stored_size)


def test_boxes_shrink_with_their_film(folder: Path) -> None:
    sample = read(folder, stored_size=150)[0]

    assert sample.image.shape == (150, 100)
    assert np.allclose(sample.boxes, [[20, 45, 40, 75]])


def test_a_weak_label_serves_the_side_tasks_alone(folder: Path) -> None:
    weak = read(folder, "train_weak")

    assert [sample.label for sample in weak] == [-1]
    assert set(weak[0].side) == {0.0, 1.0}


def test_the_held_out_fold_shares_no_group_and_holds_both_labels(folder: Path) -> None:
    kept, held = hold_out(read(folder), folds=4, seed=3)

    assert len(kept) + len(held) == 24
    assert not {sample.group for sample in kept} & {sample.group for sample in held}
    assert {sample.label for sample in held} == {0, 1}


def test_no_patient_is_held_out_whom_training_meets_on_another_film(folder: Path) -> None:
    kept, held = hold_out(read(folder), folds=4, seed=3)
    met = {held[0].group}

    still_kept, still_held = hold_out(read(folder), folds=4, seed=3, met=met)

    assert [sample.name for sample in still_kept] == [sample.name for sample in kept]
    assert {sample.group for sample in still_held} == {sample.group for sample in held} - met


def test_the_same_seed_holds_out_the_same_films(folder: Path) -> None:
    first, again = (hold_out(read(folder), folds=4, seed=3)[1] for _ in range(2))

    assert [sample.name for sample in first] == [sample.name for sample in again]


def test_the_digest_changes_with_one_label_and_not_with_the_order(folder: Path) -> None:
    samples = read(folder)
    before = data_digest(samples)
    text = (folder / "manifest.csv").read_text()

    (folder / "manifest.csv").write_text(text.replace("1.jpg,train,1,", "1.jpg,train,0,", 1))

    assert data_digest(samples[::-1]) == before
    assert data_digest(read(folder)) != before


def test_a_film_that_is_not_there_is_named(folder: Path) -> None:
    (folder / "images" / "3.jpg").unlink()

    with pytest.raises(FileNotFoundError, match=r"3\.jpg"):
        read(folder)
