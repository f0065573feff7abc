"""What validators written elsewhere say of every kind of object: a part of the corpus, and all of it."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import pytest

from tests.corpus.objects import write_all
from tests.corpus.studies import Case, wrapped_cases
from tests.judges.allowed import ALLOWED, DROPPED, INHERITED
from tests.judges.bench import JUDGES_OF, against, compare, judge
from tests.judges.programs import need_all
from tests.validate import write_corpus
from wetread.domain import ObjectKind

# Every kind of object, answer, polarity, script, way of spacing: the least of the corpus that has them.
SOME = (
    "limb-08-negative",
    "chest-16",
    "limb-oblong",
    "limb-small",
    "limb-no-type-2",
    "limb-japanese",
    "limb-declined",
    "three",
)


@pytest.fixture(autouse=True)
def judges() -> None:
    """Every judge is here."""
    need_all()


def complaints_about(cases: Iterable[Case], folder: Path) -> list[str]:
    """What counts, of all judges."""
    exhibits = list(write_all(cases, folder))
    return against([*judge(exhibits), *compare(exhibits)])


@pytest.mark.parametrize("kind", ObjectKind)
def test_judges_know_every_kind_of_object(kind: ObjectKind) -> None:
    assert len(JUDGES_OF[kind]) >= 2


def test_judges_find_nothing_in_some_studies_of_every_sort(test_data: Path, tmp_path: Path) -> None:
    sources, results = tmp_path / "sources", tmp_path / "results"
    sources.mkdir()
    results.mkdir()

    exhibits = list(write_all(wrapped_cases(test_data, sources, names=SOME), results))

    assert {exhibit.kind for exhibit in exhibits} == set(ObjectKind)
    assert against([*judge(exhibits), *compare(exhibits)]) == []


@pytest.mark.long
@pytest.mark.timeout(3600)
def test_judges_find_nothing_in_the_whole_corpus_and_need_all_that_is_let_pass(
    test_data: Path, tmp_path: Path
) -> None:
    exhibits = write_corpus(test_data, tmp_path)

    verdicts = [*judge(exhibits), *compare(exhibits)]

    assert against(verdicts) == []
    reasons = {verdict.because for verdict in verdicts} - {""}
    assert reasons == {DROPPED, INHERITED, *(allowed.because for allowed in ALLOWED)}
