from __future__ import annotations

import threading
from collections import Counter
from dataclasses import replace

from tests.unit.ledger.rows import FINDING, finish_all, lease, register, study_of
from wetread.domain import AnalysisId, AnalysisState, Box, Lane, SpoolKey, Zone
from wetread.ledger import Ledger


def only(ledger: Ledger, name: str) -> tuple[AnalysisState, int, str]:
    [[analysis]] = ledger.analyses.of_study(study_of(name)).values()
    return analysis.state, analysis.attempts, analysis.reason


def test_urgent_work_is_taken_first_then_the_oldest(ledger: Ledger) -> None:
    planned = {
        name: register(ledger, name, lane=lane).planned[0]
        for name, lane in [
            ("a", Lane.ROUTINE), ("b", Lane.URGENT), ("c", Lane.ROUTINE), ("d", Lane.URGENT)
        ]
    }  # fmt: skip

    taken = [ledger.analyses.claim_next(lease(100.0)) for _ in range(4)]

    assert [item.id for item in taken if item] == [planned[name] for name in "bdac"]
    assert ledger.analyses.claim_next(lease(100.0)) is None


def test_an_attempt_is_counted_before_the_work(ledger: Ledger) -> None:
    register(ledger, "one")

    claimed = ledger.analyses.claim_next(lease(100.0))

    assert claimed is not None
    assert claimed.attempts == 1
    assert only(ledger, "one") == (AnalysisState.RUNNING, 1, "")


def test_a_lease_that_lapsed_gives_the_work_to_another(ledger: Ledger) -> None:
    [analysis_id] = register(ledger, "one").planned
    ledger.analyses.claim(analysis_id, lease(100.0, length_s=60))

    early = ledger.analyses.claim_next(lease(159.9))
    late = ledger.analyses.claim_next(lease(160.0))

    assert early is None
    assert late is not None
    assert (late.id, late.attempts) == (analysis_id, 2)


def test_a_claim_by_id_fails_while_another_holds_it_and_after_it_is_done(ledger: Ledger) -> None:
    [analysis_id] = register(ledger, "one").planned
    ledger.analyses.claim(analysis_id, lease(100.0))

    held = ledger.analyses.claim(analysis_id, lease(101.0, holder="other"))
    ledger.analyses.finish(analysis_id, [], provider="", now=102.0)
    done = ledger.analyses.claim(analysis_id, lease(1000.0))

    assert held is None
    assert done is None
    assert ledger.analyses.claim(AnalysisId(999), lease(100.0)) is None


def test_findings_come_back_as_they_were_recorded(ledger: Ledger) -> None:
    [analysis_id] = register(ledger, "one").planned
    boxed = replace(FINDING, boxes=(Box(1, 2, 3.5, 4, 0.9),), heat_map=SpoolKey("ab/" + "a" * 64 + ".npy"))
    negative = replace(FINDING, label="Other", zone=Zone.NEGATIVE, probability=0.01)
    ledger.analyses.claim(analysis_id, lease(100.0))

    ledger.analyses.finish(analysis_id, [boxed, negative], provider="CPU", now=101.0)

    [[analysis]] = ledger.analyses.of_study(study_of("one")).values()
    assert analysis.findings == (boxed, negative)
    assert (analysis.state, analysis.provider) == (AnalysisState.DONE, "CPU")


def test_the_first_end_stands_when_a_lapsed_worker_ends_too(ledger: Ledger) -> None:
    [analysis_id] = register(ledger, "one").planned
    ledger.analyses.claim(analysis_id, lease(100.0))
    ledger.analyses.finish(analysis_id, [FINDING], provider="first", now=101.0)

    ledger.analyses.finish(analysis_id, [], provider="second", now=102.0)
    ledger.analyses.fail(analysis_id, reason="late", reason_text="", now=103.0)
    ledger.analyses.release(analysis_id, not_before=0.0)

    [[analysis]] = ledger.analyses.of_study(study_of("one")).values()
    assert (analysis.state, analysis.provider, analysis.reason) == (AnalysisState.DONE, "first", "")
    assert analysis.findings == (FINDING,)


def test_a_failure_carries_its_reason_and_is_final(ledger: Ledger) -> None:
    [analysis_id] = register(ledger, "one").planned
    ledger.analyses.claim(analysis_id, lease(100.0))

    ledger.analyses.fail(analysis_id, reason="pixels_truncated", reason_text="ends early", now=101.0)

    assert only(ledger, "one") == (AnalysisState.FAILED, 1, "pixels_truncated")
    assert ledger.analyses.claim_next(lease(9999.0)) is None


def test_work_given_back_waits_until_its_time(ledger: Ledger) -> None:
    [analysis_id] = register(ledger, "one").planned
    ledger.analyses.claim(analysis_id, lease(100.0))

    ledger.analyses.release(analysis_id, not_before=105.0)

    assert ledger.analyses.claim_next(lease(104.0)) is None
    assert ledger.analyses.claim_next(lease(105.0)) is not None


def test_waiting_tells_what_a_lost_message_leaves(ledger: Ledger) -> None:
    [old] = register(ledger, "old", at=100.0, lane=Lane.URGENT).planned
    register(ledger, "young", at=109.0)
    [held] = register(ledger, "held", at=100.0).planned
    ledger.analyses.claim(held, lease(100.0))

    assert ledger.analyses.waiting(now=110.0, older_than_s=3.0) == [(old, Lane.URGENT)]


def test_a_successor_frees_what_its_predecessor_held_and_nothing_else(ledger: Ledger) -> None:
    [mine] = register(ledger, "mine").planned
    [other] = register(ledger, "other").planned
    [done] = register(ledger, "done").planned
    ledger.analyses.claim(mine, lease(100.0, holder="host/analyse/0"))
    ledger.analyses.claim(other, lease(100.0, holder="host/analyse/1"))
    ledger.analyses.claim(done, lease(100.0, holder="host/analyse/0"))
    ledger.analyses.finish(done, [], provider="", now=101.0)

    ledger.workers.release_claims("host/analyse/0")

    assert [row for row, _ in ledger.analyses.waiting(now=101.0)] == [mine]


def test_workers_claiming_at_once_never_get_the_same_analysis(url: str, ledger: Ledger) -> None:
    for number in range(40):
        register(ledger, f"image-{number}")
    gate, taken = threading.Barrier(4), list[AnalysisId]()

    def worker(name: str) -> None:
        with Ledger(url) as own:
            gate.wait()
            while analysis := own.analyses.claim_next(lease(100.0, holder=name)):
                taken.append(analysis.id)

    threads = [threading.Thread(target=worker, args=(f"w{number}",)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(taken) == 40
    assert Counter(taken).most_common(1)[0][1] == 1


def test_the_ledger_finds_everything_again_after_it_was_closed(url: str, ledger: Ledger) -> None:
    register(ledger, "one")
    finish_all(ledger)

    with Ledger(url) as again:
        [[analysis]] = again.analyses.of_study(study_of("one")).values()

    assert analysis.findings == (FINDING,)
