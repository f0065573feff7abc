"""Whole evaluations with the shipped bundles, on phantoms as DICOM and as PNG, and on a few real films."""

from __future__ import annotations

import csv
import json
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from wetread.cli import main
from wetread.phantom.dicom import to_dataset
from wetread.phantom.film import Phantom
from wetread.phantom.limb import draw_limb

_SEEDS = range(1, 9)


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Whatever is written without --out."""
    monkeypatch.setenv("WETREAD_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


@pytest.fixture(scope="module")
def phantoms() -> list[tuple[str, Phantom]]:
    """Limbs, every second one broken."""
    return [
        (f"limb-{seed}-{'broken' if broken else 'whole'}", draw_limb(seed, broken=broken))
        for seed in _SEEDS
        for broken in (False, True)
    ]


def write_pictures(folder: Path, phantoms: list[tuple[str, Phantom]]) -> Path:
    """PNG files of 8 bits and their manifest."""
    folder.mkdir()
    with (folder / "manifest.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["file", "label", "boxes", "age", "score"])
        for number, (name, phantom) in enumerate(phantoms):
            cv2.imwrite(str(folder / f"{name}.png"), np.round(phantom.pixels / 4095 * 255).astype(np.uint8))
            boxes = json.dumps([list(box) for box in phantom.boxes])
            writer.writerow([f"{name}.png", int(bool(phantom.boxes)), boxes, 20 + 3 * number, number / 20])
    return folder / "manifest.csv"


def write_dicom(folder: Path, phantoms: list[tuple[str, Phantom]], *, labelled: bool) -> Path:
    """DICOM files, and labels by SOP Instance UID when wanted."""
    folder.mkdir()
    rows = [["SOPInstanceUID", "label", "boxes"]]
    for number, (name, phantom) in enumerate(phantoms):
        uids = [f"1.2.3.{number}.{part}" for part in (1, 2, 3)]
        ds = to_dataset(
            phantom,
            study_uid=uids[0],
            series_uid=uids[1],
            instance_uid=uids[2],
            patient_id=f"P{number}",
            patient_name="PHANTOM^LIMB",
            accession=str(number),
        )
        ds.save_as(folder / f"{name}.dcm", enforce_file_format=True)
        rows.append(
            [uids[2], str(int(bool(phantom.boxes))), json.dumps([list(box) for box in phantom.boxes])]
        )
    if labelled:
        with (folder / "labels.csv").open("w", newline="", encoding="utf-8") as file:
            csv.writer(file).writerows(rows)
    return folder


class Page(HTMLParser):
    """What a browser would fetch, and the visible headings."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.fetched: list[str] = []
        self.headings: list[str] = []
        self._is_heading = False
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._is_heading = tag in ("h1", "h2")
        values = {name: value or "" for name, value in attrs}
        sources = [values.get("src", ""), *([] if tag == "a" else [values.get("href", "")])]
        self.fetched += [source for source in sources if source and not source.startswith(("data:", "#"))]

    def handle_data(self, data: str) -> None:
        if self._is_heading and data.strip():
            self.headings.append(data.strip())
            self._is_heading = False


def read_back(folder: Path) -> tuple[dict[str, Any], str]:
    """Figures and page, after the checks that every evaluation must pass."""
    text = (folder / "evaluation.json").read_text(encoding="utf-8")
    page = (folder / "report.html").read_text(encoding="utf-8")
    assert "NaN" not in text
    assert Page(page).fetched == []
    assert "Research use only." in page
    assert str(folder.parent) not in text
    figures: dict[str, Any] = json.loads(text)
    return figures, page


def test_pictures_with_a_manifest_are_measured_and_the_page_tells_it(
    phantoms: list[tuple[str, Phantom]], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    manifest = write_pictures(tmp_path / "set", phantoms)
    arguments = ["evaluate", str(manifest), "--model", "fracture", "--out", str(tmp_path / "out")]

    status = main([*arguments, "--prevalence", "0.1", "--compare", "score", "--by", "age"])

    figures, page = read_back(tmp_path / "out")
    assert status == 0
    assert figures["all"]["images"] == 16
    assert figures["all"]["auc"]["value"] == 1.0
    assert figures["localisation"]["lesions_found"]["value"] > 0.4
    assert figures["comparisons"][0]["with"] == "score"
    assert figures["made"]["command"].startswith("wetread evaluate manifest.csv --model fracture")
    assert Page(page).headings[1:] == [
        "What was measured, on what",
        "Curves",
        "Operating points",
        "Calibration",
        "Localisation and counting",
        "Comparison on the same cases",
        "Failures",
        "Method",
    ]
    assert page.count("data:image/jpeg;base64,") == 12
    assert page.count("<svg") > 12
    assert "AUC 1.000" in capsys.readouterr().out


def test_dicom_files_go_the_same_road_with_labels_by_instance(
    phantoms: list[tuple[str, Phantom]], tmp_path: Path
) -> None:
    folder = write_dicom(tmp_path / "set", phantoms[:4], labelled=True)
    (folder / "notes.txt").write_text("no image")

    status = main(["evaluate", str(folder), "--model", "fracture", "--out", str(tmp_path / "out")])

    figures, _ = read_back(tmp_path / "out")
    rows = list(csv.DictReader((tmp_path / "out" / "cases.csv").open(encoding="utf-8")))
    assert status == 0
    assert (figures["all"]["images"], figures["all"]["positives"]) == (4, 2)
    assert {row["body_part"] for row in rows} == {phantoms[0][1].body_part}
    # A patient is the unit of the bootstrap, and is numbered, not named.
    assert {row["group"] for row in rows} == {"0", "1", "2", "3"}
    assert [item["reason"] for item in figures["data"]["left_out"]] == ["not a DICOM file"]


def test_without_labels_the_answers_are_listed_and_what_is_not_evaluable_says_why(
    phantoms: list[tuple[str, Phantom]], tmp_path: Path
) -> None:
    folder = write_dicom(tmp_path / "set", phantoms[:2], labelled=False)
    (folder / "broken.dcm").write_bytes(b"not a DICOM object")

    status = main(["evaluate", str(folder), "--model", "fracture", "--out", str(tmp_path / "out")])

    figures, page = read_back(tmp_path / "out")
    assert status == 0
    assert "all" not in figures
    assert figures["data"]["not_evaluable"] == {"images": 1, "positives": 0, "reasons": {"unreadable": 1}}
    assert "No labels came with these files" in page
    assert "not evaluable: unreadable" in page


def test_a_film_outside_the_scope_of_the_model_is_not_evaluable_by_its_header(
    phantoms: list[tuple[str, Phantom]], tmp_path: Path
) -> None:
    folder = write_dicom(tmp_path / "set", phantoms[:2], labelled=True)

    status = main(["evaluate", str(folder), "--model", "pneumonia", "--out", str(tmp_path / "out")])

    figures, _ = read_back(tmp_path / "out")
    assert status == 1
    assert figures["data"]["not_evaluable"]["reasons"] == {"body_part_out_of_scope": 2}


def test_a_picture_that_does_not_decode_is_counted_both_ways(
    phantoms: list[tuple[str, Phantom]], tmp_path: Path
) -> None:
    manifest = write_pictures(tmp_path / "set", phantoms)
    # Broken is positive: as negative or as wrong it is missed.
    (tmp_path / "set" / "limb-1-broken.png").write_bytes(b"\x89PNG\r\n\x1a\nno picture")

    main(["evaluate", str(manifest), "--model", "fracture", "--out", str(tmp_path / "out")])

    figures, page = read_back(tmp_path / "out")
    assert figures["data"]["not_evaluable"] == {"images": 1, "positives": 1, "reasons": {"unreadable": 1}}
    assert figures["all"]["positives"] == 7
    for part in figures["if_not_evaluable"].values():
        assert part["sensitive"]["sensitivity"]["of"] == 8
    assert "of 16, 1 not evaluable (1 of them positive)" in page


def test_a_model_is_compared_with_an_evaluation_that_was_made_before(
    phantoms: list[tuple[str, Phantom]], tmp_path: Path
) -> None:
    manifest = write_pictures(tmp_path / "set", phantoms[:12])
    arguments = ["evaluate", str(manifest), "--model", "fracture"]
    main([*arguments, "--out", str(tmp_path / "first")])

    main(
        [*arguments, "--out", str(tmp_path / "out"), "--compare", str(tmp_path / "first" / "evaluation.json")]
    )

    figures, _ = read_back(tmp_path / "out")
    first, _ = read_back(tmp_path / "first")
    assert figures["comparisons"][0]["auc_difference"]["value"] == 0.0
    assert figures["comparisons"][0]["mcnemar"]["sensitive"]["sensitivity"]["p"] == 1.0
    assert figures["all"] == first["all"]


def test_without_out_the_page_lies_in_the_home_for_its_owner_alone(
    phantoms: list[tuple[str, Phantom]], tmp_path: Path, home: Path
) -> None:
    manifest = write_pictures(tmp_path / "set", phantoms[:2])

    main(["evaluate", str(manifest), "--model", "fracture"])

    page = next((home / "evaluations").glob("fracture-*-set-manifest/report.html"))
    assert page.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["gone.csv", "--model", "fracture"], "no such file or folder: gone.csv"),
        (["{manifest}", "--model", "nobody"], "no model named 'nobody' (there are: fracture, pneumonia"),
        (["{manifest}", "--model", "fracture", "--split", "test"], "manifest.csv: no column 'split'"),
        (["{manifest}", "--model", "fracture", "--limit", "0"], "--limit: at least 1"),
        (["{manifest}", "--model", "fracture", "--prevalence", "10"], "--prevalence: between 0 and 1"),
        (["{manifest}", "--model", "fracture", "--finding", "Hernia"], "choose one with --finding: Fracture"),
        (["{manifest}", "--model", "fracture", "--compare", "x.json"], "--compare: x.json: No such file"),
        (["{manifest}", "--model", "fracture", "--by", "colour"], "--by colour: no such column"),
        (["{folder}", "--model", "fracture", "--split", "test"], "--split: a folder has none"),
    ],
)
def test_a_wrong_wish_is_one_clear_line_and_exit_2(
    arguments: list[str],
    message: str,
    phantoms: list[tuple[str, Phantom]],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    manifest = write_pictures(tmp_path / "set", phantoms[:2])
    places = {"{manifest}": str(manifest), "{folder}": str(tmp_path / "set")}

    status = main(["evaluate", *(places.get(word, word) for word in arguments)])

    told = capsys.readouterr().err
    assert status == 2
    assert told.startswith("wetread: ")
    assert message in told
    assert told.count("\n") == 1


def test_a_missing_library_is_named_with_what_installs_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("wetread.evaluate.main._LIBRARIES", ("scipy", "no_such_library"))

    status = main(["evaluate", str(tmp_path), "--model", "fracture"])

    assert status == 2
    assert "evaluate needs no_such_library: pip install 'wetread[evaluate]'" in capsys.readouterr().err


@pytest.mark.parametrize(("task", "model"), [("fracture", "fracture"), ("chest", "pneumonia")])
def test_real_films_of_the_internal_test_are_measured(
    task: str, model: str, test_data: Path, tmp_path: Path
) -> None:
    manifest = test_data / task / "manifest.csv"
    arguments = ["evaluate", str(manifest), "--model", model, "--split", "internal_test", "--limit", "24"]

    status = main([*arguments, "--out", str(tmp_path / "out")])

    figures, _ = read_back(tmp_path / "out")
    assert status == 0
    assert figures["data"]["images"] == 24
    assert figures["all"]["positives"] >= 3
    assert figures["localisation"]["lesions"] >= figures["all"]["positives"]
