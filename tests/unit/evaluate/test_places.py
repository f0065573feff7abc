"""Where an evaluation lies when nobody says where."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from wetread.evaluate.main import Request, default_name
from wetread.evaluate.reading import Subject
from wetread.infer.bundle import load_bundles
from wetread.infer.signature import ANYONE

ASSETS = Path(__file__).parents[1] / "infer" / "assets"


def test_what_differs_in_model_version_finding_source_or_split_does_not_share_a_folder(
    tmp_path: Path,
) -> None:
    for name in ("first", "second"):
        (tmp_path / name).mkdir()
    (tiny,) = load_bundles(ASSETS, ANYONE)
    other, newer = (
        replace(tiny, id=replace(tiny.id, **change)) for change in ({"name": "other"}, {"version": "2.0.0"})
    )
    first = Request(tmp_path / "first", "models/tiny/1.0.0")

    names = [
        default_name(first, Subject(tiny), ""),
        default_name(first, Subject(tiny), "test"),
        default_name(first, Subject(other), ""),
        default_name(first, Subject(newer), ""),
        default_name(replace(first, finding="Bright"), Subject(tiny), ""),
        default_name(replace(first, finding="Dark"), Subject(tiny), ""),
        default_name(replace(first, source=tmp_path / "second"), Subject(tiny), ""),
        default_name(replace(first, source=tmp_path / "first" / "one.csv"), Subject(tiny), ""),
        default_name(replace(first, source=tmp_path / "first" / "two.csv"), Subject(tiny), ""),
    ]

    assert len(set(names)) == len(names)
    assert names[0] == "tiny-1.0.0-first"
    assert names[-1] == "tiny-1.0.0-first-two"


def test_a_finding_with_a_slash_in_its_name_makes_one_folder(tmp_path: Path) -> None:
    (tiny,) = load_bundles(ASSETS, ANYONE)

    name = default_name(Request(tmp_path / "set.csv", "tiny", finding="Mass / nodule"), Subject(tiny), "")

    assert name == f"tiny-1.0.0-Mass_nodule-{tmp_path.name}-set"
