from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from wetread.deliver.send import Sent
from wetread.demo.answers import Answer, Refusal, RefusalReader, _say
from wetread.demo.cases import Case
from wetread.demo.page import Page
from wetread.domain import Analysis, AnalysisId, AnalysisState, InstanceId, ModelId
from wetread.ledger import Ledger
from wetread.ledger.quarantine import Quarantined

FILE = Path("one.dcm")
CASE = Case("one.dcm", "1.2.3", (FILE,))
REFUSAL = Refusal("0xC000", "uid_malformed: the study UID is not a UID")


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    """An empty one."""
    with Ledger(f"sqlite:///{tmp_path / 'ledger.db'}") as opened:
        yield opened


def declined(reason: str, state: AnalysisState = AnalysisState.DECLINED) -> Analysis:
    model = ModelId("bones", "1")
    return Analysis(AnalysisId(1), InstanceId(1), model, state, reason=reason, reason_text=f"says {reason}")


def summarise(*answers: Answer) -> None:
    Page().summary(answers, quiet_s=1.0, folder=Path("demo"))


def test_a_study_is_answered_only_when_a_report_lies_in_the_pacs() -> None:
    assert Answer(CASE, (), reports=1).is_answered
    assert not Answer(CASE, ()).is_answered
    assert not Answer(CASE, (REFUSAL,)).is_answered


def test_a_refusal_says_the_quarantines_reason_beside_the_status(ledger: Ledger) -> None:
    reader = RefusalReader(ledger)
    entry = Quarantined(1.0, "uid_malformed", "the study UID is not a UID", 9, "", "A", "127.0.0.1", "dicom")
    ledger.quarantine.add(entry)

    first = reader.refusal(Sent(FILE, "0xC000", is_taken=False))
    second = reader.refusal(Sent(FILE, "no_context", is_taken=False))

    assert first == REFUSAL
    assert str(second).startswith("no_context the receiver does not take")


def test_only_the_most_telling_reason_is_said() -> None:
    body_part, view = declined("body_part_out_of_scope"), declined("view_out_of_scope")
    failed = declined("attempts_exhausted", AnalysisState.FAILED)

    assert _say([body_part, view]) == ["says view_out_of_scope"]
    assert _say([body_part, view, failed]) == ["says attempts_exhausted"]
    assert _say([body_part]) == ["says body_part_out_of_scope"]
    assert _say([]) == []


def test_the_summary_counts_what_was_refused_with_its_reason(capsys: pytest.CaptureFixture[str]) -> None:
    summarise(Answer(CASE, (), reports=1), Answer(CASE, (REFUSAL,)), Answer(CASE, ()))

    printed = capsys.readouterr().out
    assert "1 of 3 studies answered, 1 refused (0xC000 uid_malformed: " in printed
    assert "), 1 without an answer" in printed


@pytest.mark.parametrize(("zone", "word"), [("doubtful", "DOUBTFUL"), ("positive", "FINDINGS")])
def test_a_finding_that_is_only_doubtful_is_called_so(
    zone: str, word: str, capsys: pytest.CaptureFixture[str]
) -> None:
    Page().answered(Answer(CASE, (), outcome="findings", worst_zone=zone, reports=1))

    assert capsys.readouterr().out.split() == [word]


def test_skipped_files_are_said_when_there_are_any(capsys: pytest.CaptureFixture[str]) -> None:
    Page().skipped(0)
    Page().skipped(2)

    assert capsys.readouterr().out == "2 files skipped: not DICOM or no study UID\n"
