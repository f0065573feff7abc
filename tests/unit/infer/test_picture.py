from __future__ import annotations

import numpy as np
import pytest

from wetread.errors import Rejected
from wetread.infer.manifest import PictureSpec
from wetread.infer.outputs import Outputs
from wetread.infer.picture import Picture, check_picture, to_picture

KINDS = ("chest_frontal", "limb", "chest_turned", "inverted", "other")


def picture(*, is_strange: bool = False, least: float = 0.5, **shares: float) -> Picture:
    """A picture with these probabilities, the rest spread over the other kinds."""
    rest = (1 - sum(shares.values())) / (len(KINDS) - len(shares))
    probabilities = {kind: shares.get(kind, rest) for kind in KINDS}
    return Picture(probabilities, distance=1.0, is_strange=is_strange, least_probability=least)


def why_not(shown: Picture, *allowed: str) -> str:
    with pytest.raises(Rejected) as refused:
        check_picture(shown, allowed)
    return refused.value.code


def test_a_picture_of_the_kind_that_a_model_reads_passes() -> None:
    check_picture(picture(limb=0.9), ("limb",))


def test_a_picture_passes_a_model_that_reads_several_kinds_when_they_add_up() -> None:
    check_picture(picture(limb=0.45, chest_frontal=0.45), ("limb", "chest_frontal"))


@pytest.mark.parametrize(
    ("kind", "code"),
    [
        ("limb", "picture_wrong_part"),
        ("chest_turned", "picture_turned"),
        ("inverted", "picture_inverted"),
        ("other", "picture_unknown"),
    ],
)
def test_every_other_kind_is_turned_away_with_its_reason(kind: str, code: str) -> None:
    assert why_not(picture(**{kind: 0.9}), "chest_frontal") == code


def test_a_picture_that_resembles_nothing_is_turned_away_however_sure_the_kind_is() -> None:
    assert why_not(picture(limb=0.99, is_strange=True), "limb") == "picture_unknown"


def test_a_strange_picture_is_not_said_to_show_the_part_it_resembles() -> None:
    assert why_not(picture(limb=0.99, is_strange=True), "chest_frontal") == "picture_unknown"


def test_a_picture_in_doubt_is_turned_away_as_unknown_even_where_its_kind_leads() -> None:
    assert why_not(picture(limb=0.4, least=0.7), "limb") == "picture_unknown"


def test_the_reason_names_what_is_shown_and_what_is_read() -> None:
    with pytest.raises(Rejected, match="shows a limb, not a frontal chest"):
        check_picture(picture(limb=0.9), ("chest_frontal",))


def test_the_thresholds_of_the_manifest_come_with_the_answer() -> None:
    spec = PictureSpec(
        kind="picture",
        logits="logits",
        kinds=("limb", "other"),
        distance="d",
        most_distance=2.0,
        least_probability=0.8,
    )

    shown = to_picture(spec, Outputs(logits=np.array([3.0, 0.0], np.float32), distance=2.5))

    assert (shown.is_strange, shown.least_probability, shown.kind) == (True, 0.8, "limb")
