from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.builders import small_film, to_bytes, to_dataset
from tests.system.deadline import wait_until
from tests.system.redis_server import new_redis, running_redis
from tests.unit.pipeline.parts import FROM_MODALITY, READERS, FirstStep, first_step
from wetread.domain import Analysis, AnalysisState, ModelId, StudyUid
from wetread.jobqueue.broker import CeleryQueue, make_app
from wetread.ledger import Lease
from wetread.pipeline.analyse import Analyser
from wetread.worker.loops import reconcile, run_analyses, start_thread


@pytest.fixture
def step(tmp_path: Path) -> Iterator[FirstStep]:
    with first_step(tmp_path) as parts:
        yield parts


def admit(step: FirstStep, name: str) -> StudyUid:
    data = to_bytes(to_dataset(small_film(name, rows=300, columns=300)))
    return StudyUid(step.admitter.receive_file(data, source=FROM_MODALITY).header.StudyInstanceUID)


def only(step: FirstStep, study: StudyUid) -> Analysis:
    [analyses] = step.ledger.analyses.of_study(study).values()
    return next(item for item in analyses if item.model == READERS[0].model)


def work(step: FirstStep, *models: ModelId, max_attempts: int = 3, until: threading.Event) -> None:
    """Run the loop with an engine that is broken: what happens to the analysis is the question."""
    analyser = Analyser(
        ledger=step.ledger,
        spool=step.spool,
        engine=None,  # type: ignore[arg-type]  # a fault that nobody foresaw
        guard=None,  # type: ignore[arg-type]  # never reached
        models=models,
        max_attempts=max_attempts,
        ended=until.set,
    )
    run_analyses(
        ledger=step.ledger, analyser=analyser, bell=step.bell, holder="worker", lease_s=60.0, stop=until
    )


def test_a_model_that_was_withdrawn_ends_its_analyses_with_a_reason(step: FirstStep) -> None:
    study = admit(step, "one")

    work(step, until=threading.Event())

    assert (only(step, study).state, only(step, study).reason) == (AnalysisState.FAILED, "model_not_here")


def test_an_analysis_that_met_a_fault_waits_some_seconds_and_the_loop_goes_on(step: FirstStep) -> None:
    first, second, stop = admit(step, "one"), admit(step, "two"), threading.Event()
    loop = start_thread("loop", lambda: work(step, READERS[0].model, until=stop))

    while any(only(step, study).attempts == 0 for study in (first, second)):
        stop.wait(0.01)
    stop.set()
    step.bell.ring()
    loop.join()

    assert {only(step, study).state for study in (first, second)} == {AnalysisState.RUNNING}
    assert step.ledger.analyses.waiting(now=time.time()) == []
    assert len(step.ledger.analyses.waiting(now=time.time() + 6)) == 2


def test_an_analysis_that_never_ends_is_given_up_and_told(step: FirstStep) -> None:
    study = admit(step, "one")
    step.ledger.analyses.claim(only(step, study).id, Lease("killed before", 0.0, 1.0))

    work(step, READERS[0].model, max_attempts=1, until=threading.Event())

    assert (only(step, study).state, only(step, study).reason) == (
        AnalysisState.FAILED,
        "attempts_exhausted",
    )


def test_what_a_queue_forgot_is_announced_again(step: FirstStep, tmp_path: Path) -> None:
    admit(step, "one")
    stop = threading.Event()
    with running_redis(tmp_path / "redis", new_redis()) as redis, make_app(redis.url) as app:
        queue = CeleryQueue(app)
        again = start_thread("reconcile", lambda: reconcile(ledger=step.ledger, queue=queue, stop=stop))

        wait_until(lambda: queue.depth() == 1, within_s=30, what="the analysis announced")
        stop.set()
        again.join()


def test_a_spool_that_is_away_for_a_while_does_not_use_up_an_images_attempts(step: FirstStep) -> None:
    study, stop = admit(step, "one"), threading.Event()
    objects = step.folder / "spool" / "objects"
    objects.rename(step.folder / "away")
    loop = start_thread("loop", lambda: work(step, READERS[0].model, until=stop))

    claim_ended = wait_until(lambda: _is_waiting(step, study), within_s=20, what="the analysis given back")
    stop.set()
    step.bell.ring()
    loop.join()

    assert claim_ended
    assert only(step, study).attempts == 0


def _is_waiting(step: FirstStep, study: StudyUid) -> bool:
    """Taken once and given back with no attempt counted."""
    analysis = only(step, study)
    return analysis.state is AnalysisState.RUNNING and analysis.attempts == 0
