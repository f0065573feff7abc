from __future__ import annotations

import pytest

from tests.unit.evaluate.readers import POINTS, answer
from wetread.errors import Misconfigured
from wetread.evaluate.figures import Figures
from wetread.evaluate.reading import Answer
from wetread.evaluate.sample import to_sample
from wetread.evaluate.subgroups import describe_subgroups


def answers_with(column: str, values: list[str], images: int = 80) -> list[Answer]:
    return [
        answer(n, n % 2, 0.9 if n % 2 else 0.1, **{column: values[(n // 2) % len(values)]})
        for n in range(images)
    ]


def parts_of(answers: list[Answer], *by: str) -> dict[str, Figures]:
    parts = describe_subgroups(to_sample(answers), POINTS, by=by)
    return {f"{part['column']}: {part['value']}": part for part in parts}


def test_ages_become_bands_whether_numbers_dicom_or_words() -> None:
    parts = parts_of(answers_with("age", ["7", "070Y", "007M", "paediatric (1-5 y)"]))

    assert {name: part["images"] for name, part in parts.items()} == {
        "age: 60 to 79 years": 20,
        "age: paediatric (1-5 y)": 20,
        "age: under 18 years": 40,
    }


def test_hardware_is_named_and_views_are_one_whatever_their_case() -> None:
    assert set(parts_of(answers_with("hardware", ["0.0", "1"]))) == {
        "hardware: with hardware",
        "hardware: without hardware",
    }
    assert set(parts_of(answers_with("view", ["pa", "PA", "AP"]))) == {"view: PA", "view: AP"}


def test_small_parts_and_columns_that_say_one_thing_are_left_out() -> None:
    assert parts_of(answers_with("sex", ["F", *["M"] * 7])).keys() == {"sex: M"}
    assert parts_of(answers_with("sex", ["F"])) == {}


def test_a_part_of_one_label_is_set_against_all_of_the_other() -> None:
    answers = [
        answer(n, n % 2, 0.9 if n % 2 else 0.1, kind="normal" if n % 4 == 0 else "ill" if n % 2 else "odd")
        for n in range(80)
    ]

    parts = parts_of(answers, "kind")

    assert (parts["kind: normal"]["against"], parts["kind: normal"]["positives"]) == ("all positives", 0)
    assert parts["kind: normal"]["auc"]["value"] == 1.0  # type: ignore[index]  # JSON
    assert parts["kind: ill"]["against"] == "all negatives"


def test_an_auc_of_few_positives_is_not_told() -> None:
    answers = [answer(n, int(n < 4), 0.5, sex="FM"[n % 2]) for n in range(60)]

    assert [part["auc"] for part in parts_of(answers).values()] == [None, None]


@pytest.mark.parametrize(
    ("values", "message"),
    [([""], "no such column, or it is empty"), ([str(n) for n in range(30)], "30 values, at most 20")],
)
def test_a_column_that_makes_no_parts_is_one_line(values: list[str], message: str) -> None:
    with pytest.raises(Misconfigured, match=f"^--by thing: {message}"):
        parts_of(answers_with("thing", values), "thing")
