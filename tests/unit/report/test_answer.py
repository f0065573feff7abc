from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tests.unit.report.studies import (
    PNEUMONIA,
    PNEUMONIA_MODEL,
    SourceImage,
    a_finding,
    a_study,
    an_image,
    declined,
    done,
    failed,
    write_source,
)
from wetread.domain import Analysis, Box, Zone
from wetread.report.answer import Tone, image_answer, percent, percent_of, percent_text, study_answer

BOX = Box(100, 150, 180, 260, 0.9)


@pytest.mark.parametrize(
    ("probability", "text"),
    [
        (0.0, "<1 %"),
        (0.004, "<1 %"),
        (0.005, "1 %"),
        (0.034, "3 %"),
        (0.87, "87 %"),
        (0.996, ">99 %"),
        (1.0, ">99 %"),
    ],
)
def test_percent_never_claims_certainty(probability: float, text: str) -> None:
    assert percent(probability) == text


@pytest.mark.parametrize(
    ("analyses", "tone", "text"),
    [
        ((done(a_finding(0.87, BOX)),), Tone.POSITIVE, "FRACTURE SUSPECTED 87 %"),
        ((done(a_finding(0.34, BOX)),), Tone.DOUBTFUL, "FRACTURE POSSIBLE 34 %"),
        ((done(a_finding(0.03)),), Tone.NEGATIVE, "NO FINDINGS: fracture 3 %"),
        (
            (declined("body_part_unknown", "body part unknown."),),
            Tone.NOT_EVALUABLE,
            "NOT EVALUABLE: body part unknown",
        ),
        ((), Tone.NOT_EVALUABLE, "NOT EVALUABLE: no network reads this kind of image"),
        (
            (done(a_finding(0.87, BOX)), failed("timeout", "timed out", model=PNEUMONIA_MODEL)),
            Tone.POSITIVE,
            "FRACTURE SUSPECTED 87 % (pneumonia not evaluated)",
        ),
        (
            (done(a_finding(0.87, BOX)), done(a_finding(0.9, code=PNEUMONIA, label="Pneumonia"))),
            Tone.POSITIVE,
            "PNEUMONIA SUSPECTED 90 %, FRACTURE SUSPECTED 87 %",
        ),
    ],
)
def test_answer_says_the_worst_first(
    tmp_path: Path, analyses: tuple[Analysis, ...], tone: Tone, text: str
) -> None:
    image = an_image(write_source(tmp_path, SourceImage()), *analyses)

    answer = image_answer(image)

    assert (answer.tone, answer.text) == (tone, text)


def test_an_unread_image_says_why_the_network_made_for_its_body_part_did_not_read_it(tmp_path: Path) -> None:
    image = an_image(
        write_source(tmp_path, SourceImage()),
        declined("body_part_out_of_scope", "body part CHEST is not read by this model"),
        declined("age_out_of_scope", "patients under 18 years are not read", model=PNEUMONIA_MODEL),
    )

    assert image_answer(image).text == "NOT EVALUABLE: patients under 18 years are not read"


def test_study_answer_takes_each_concept_where_it_is_most_probable(tmp_path: Path) -> None:
    front = an_image(write_source(tmp_path, SourceImage(name="front")), done(a_finding(0.1)))
    side = an_image(write_source(tmp_path, SourceImage(name="side")), done(a_finding(0.87, BOX)))

    answer = study_answer(a_study(front, side))

    assert answer.text == "FRACTURE SUSPECTED 87 %"


def test_study_answer_says_that_an_image_was_not_evaluated(tmp_path: Path) -> None:
    front = an_image(write_source(tmp_path, SourceImage(name="front")), done(a_finding(0.1)))
    turned_away = an_image(
        write_source(tmp_path, SourceImage(name="side")), failed("picture_inverted", "inverted")
    )

    answer = study_answer(a_study(front, turned_away))

    assert answer.text == "NO FINDINGS: fracture 10 % (1 of 2 images not evaluated)"


def test_study_answer_says_which_network_failed_beside_one_that_answered(tmp_path: Path) -> None:
    broken = failed("timeout", "timed out", model=PNEUMONIA_MODEL)
    front = an_image(write_source(tmp_path, SourceImage(name="front")), done(a_finding(0.03)), broken)
    side = an_image(write_source(tmp_path, SourceImage(name="side")), done(a_finding(0.02)))

    assert study_answer(a_study(front)).text == "NO FINDINGS: fracture 3 % (pneumonia not evaluated)"
    assert study_answer(a_study(front, side, an_image(front.path))).text == (
        "NO FINDINGS: fracture 3 % (pneumonia not evaluated on 1 of 3 images; 1 of 3 images not evaluated)"
    )


def test_study_answer_puts_a_positive_before_a_more_probable_doubtful_of_another_network(
    tmp_path: Path,
) -> None:
    doubtful = replace(a_finding(0.7, BOX), zone=Zone.DOUBTFUL)
    positive = replace(a_finding(0.5, BOX), zone=Zone.POSITIVE)
    other = replace(doubtful, code=PNEUMONIA, label="Pneumonia")
    image = an_image(
        write_source(tmp_path, SourceImage()), done(positive), done(doubtful, other, model=PNEUMONIA_MODEL)
    )

    answer = study_answer(a_study(image))

    assert answer.text == "FRACTURE SUSPECTED 50 %, PNEUMONIA POSSIBLE 70 %"


@pytest.mark.parametrize(
    ("probability", "number", "text"),
    [
        (0.0, 0.1, "<1 %"),
        (1.0, 99.9, ">99 %"),
        (0.874, 87.4, "87 %"),
        (0.5996, 59.96, "59.96 %"),
        (0.59999999, 59.999999, "59.999999 %"),
        (0.196, 19.6, "19.6 %"),
        (0.6, 60.0, "60 %"),
        (0.573, 57.3, "57 %"),
    ],
)
def test_percentage_is_not_rounded_to_certainty_or_into_another_zone(
    probability: float, number: float, text: str
) -> None:
    finding = a_finding(probability)

    assert (percent_of(finding, digits=1), percent_text(finding)) == (number, text)
