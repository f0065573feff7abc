from __future__ import annotations

from pathlib import Path

import pytest

from wetread.errors import Misconfigured
from wetread.evaluate.cases import limited
from wetread.evaluate.manifest import read_manifest


def write(folder: Path, text: str, *images: str) -> Path:
    for name in images:
        (folder / name).write_bytes(b"an image")
    path = folder / "manifest.csv"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_row_becomes_a_case_with_boxes_group_and_facts(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        'file,label,boxes_xyxy,group,age,vendor\na.png,1,"[[1, 2, 3, 4]]",p7, 63 ,ACME\nb.png,0,[],,,\n',
        "a.png",
        "b.png",
    )

    cases = read_manifest(path, split=None)

    ill, well = cases.cases
    assert (ill.name, ill.row, ill.label, ill.group) == ("a.png", 2, 1, "p7")
    assert ill.lesions is not None
    assert ill.lesions.tolist() == [[1.0, 2.0, 3.0, 4.0]]
    assert dict(ill.facts) == {"age": "63", "vendor": "ACME"}
    assert well.lesions is not None
    assert len(well.lesions) == 0
    assert cases.columns == ("age", "vendor")


def test_without_a_column_of_boxes_nothing_is_known_of_lesions(tmp_path: Path) -> None:
    cases = read_manifest(write(tmp_path, "file,label\na.png,1\n", "a.png"), split=None)

    assert cases.cases[0].lesions is None


def test_rows_that_cannot_be_read_are_listed_with_their_reason(tmp_path: Path) -> None:
    path = write(tmp_path, "file,label\na.png,1\ngone.png,0\nb.png,\na.png,0\n", "a.png", "b.png")

    cases = read_manifest(path, split=None)

    assert [case.name for case in cases.cases] == ["a.png"]
    assert [(item.row, item.reason) for item in cases.exclusions] == [
        (3, "no such file"),
        (4, "no label"),
        (5, "the same file as row 2"),
    ]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("name,label\na.png,1\n", r"no column 'file' \(there are: name, label\)"),
        ("file,truth\na.png,1\n", "no column 'label'"),
        ("file,label\n", "no rows"),
        ("file,label\na.png,1\nb.png,maybe\n", "row 3: label is 'maybe', not 0 or 1"),
        ('file,label,boxes\na.png,1,"[[1,2,3]]"\n', "row 2: boxes: not a list of"),
        ('file,label,boxes\na.png,1,"[[9,2,3,4]]"\n', "row 2: boxes: a box must have left < right"),
        ("file,label,boxes\na.png,1,here\n", "row 2: boxes: not a list of"),
    ],
)
def test_what_cannot_be_meant_is_one_line_with_its_row(text: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(Misconfigured, match=f"^manifest.csv.*{message}") as caught:
        read_manifest(write(tmp_path, text, "a.png"), split=None)

    assert "\n" not in str(caught.value)


def test_several_splits_must_be_chosen_from_and_an_unknown_one_is_told(tmp_path: Path) -> None:
    path = write(tmp_path, "file,label,split\na.png,1,train\nb.png,0,test\n", "a.png", "b.png")

    assert [case.name for case in read_manifest(path, split="test").cases] == ["b.png"]
    with pytest.raises(Misconfigured, match="holds the splits test, train: choose one with --split"):
        read_manifest(path, split=None)
    with pytest.raises(Misconfigured, match="no row of split 'tset'"):
        read_manifest(path, split="tset")


def test_a_file_that_is_no_text_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "manifest.csv").write_bytes(b"\xff\xfe\x00file")

    with pytest.raises(Misconfigured, match="not UTF-8 text"):
        read_manifest(tmp_path / "manifest.csv", split=None)


def test_a_limit_keeps_the_prevalence_and_the_order(tmp_path: Path) -> None:
    names = [f"{number}.png" for number in range(40)]
    rows = "".join(f"{name},{int(number % 4 == 0)}\n" for number, name in enumerate(names))
    cases = read_manifest(write(tmp_path, f"file,label\n{rows}", *names), split=None).cases

    few = limited(cases, 12)

    assert (len(few), sum(case.label == 1 for case in few)) == (12, 3)
    assert [case.row for case in few] == sorted(case.row for case in few)
    assert limited(cases, 99) == cases
