"""The loops of a worker process: each takes what the ledger says is due, until told to stop."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable

from wetread.deliver import Sender
from wetread.domain import AnalysisId
from wetread.errors import Rejected, Transient
from wetread.jobqueue import JobQueue
from wetread.jobqueue.embedded import Bell
from wetread.ledger import Lease, Ledger
from wetread.pipeline.analyse import Analyser
from wetread.pipeline.conclude import Concluder
from wetread.pipeline.publish import Publisher

_IDLE_S = 1.0
_PUBLISHER_IDLE_S = 0.25
_RETRY_S = 5.0
_RECONCILE_S = 3.0

logger = logging.getLogger(__name__)


def run_analyses(
    *, ledger: Ledger, analyser: Analyser, bell: Bell, holder: str, lease_s: float, stop: threading.Event
) -> None:
    """Take and analyse what waits, the most urgent first; sleep on the bell."""
    while not stop.is_set():
        try:
            analysis = ledger.analyses.claim_next(Lease(holder, time.time(), lease_s))
        except Transient as error:
            _pause("analyses cannot be claimed", error, stop)
            continue
        if analysis is None:
            bell.wait(_IDLE_S)
            continue
        try:
            analyser.analyse(analysis)
        except Exception:
            # Whatever it was, the case goes on: it is tried again, and given up after some attempts.
            logger.exception("analysis ended by a fault", extra={"analysis": analysis.id})
            give_back(ledger, analysis.id)


def give_back(ledger: Ledger, analysis_id: AnalysisId) -> None:
    """Let go of an analysis that ended by a fault. When the ledger is away its lease lapses instead."""
    try:
        ledger.analyses.release(analysis_id, not_before=time.time() + _RETRY_S)
    except Transient as error:
        logger.warning("analysis not given back", extra={"analysis": analysis_id, "why": str(error)})


class ConclusionLoop:
    """Concludes studies as they fall quiet, and publishes what is owed in between."""

    def __init__(
        self, *, ledger: Ledger, concluder: Concluder, publisher: Publisher, quiet_s: float, lease_s: float
    ) -> None:
        self._ledger = ledger
        self._concluder = concluder
        self._publisher = publisher
        self._quiet_s = quiet_s
        self._lease_s = lease_s

    def run(self, *, bell: Bell, holder: str, senders: list[Sender], stop: threading.Event) -> None:
        """Until `stop`: conclude, publish, sleep until the next study is quiet or the bell rings."""
        while not stop.is_set():
            try:
                # One of each in turn: a long list of deliveries never holds up a conclusion.
                worked = self._conclude_next(holder) | self._publisher.publish_next()
                if not worked:
                    bell.wait(self._sleep_s())
                    for sender in senders:
                        sender.rest()
            except Transient as error:
                _pause("publisher cannot go on", error, stop)
            except Exception:
                logger.exception("publisher met a fault")
                stop.wait(_IDLE_S)

    def _conclude_next(self, holder: str) -> bool:
        lease = Lease(holder, time.time(), self._lease_s)
        claim = self._ledger.studies.claim_due(lease, quiet_s=self._quiet_s)
        if claim is None:
            return False
        retry_at = time.time() + min(_RETRY_S * claim.attempts, 300.0)
        try:
            if not self._concluder.conclude(claim):
                self._ledger.studies.release(claim.study, not_before=0.0, problem="")
        except Transient:
            self._ledger.studies.release(claim.study, not_before=retry_at, problem="spool or ledger away")
            raise
        except Rejected as error:
            logger.error("study held back", extra={"study": claim.study, "why": str(error)})
            self._ledger.studies.release(claim.study, not_before=retry_at, problem=str(error))
        except Exception:
            self._ledger.studies.release(claim.study, not_before=retry_at, problem="a fault of the service")
            raise
        return True

    def _sleep_s(self) -> float:
        due_at = self._ledger.studies.next_due_at(quiet_s=self._quiet_s)
        if due_at is None:
            return _PUBLISHER_IDLE_S
        return min(max(due_at - time.time(), 0.01), _PUBLISHER_IDLE_S)


def reconcile(*, ledger: Ledger, queue: JobQueue, stop: threading.Event) -> None:
    """Announce again what the ledger says is waiting: a queue that forgets costs seconds, not cases."""
    while not stop.wait(_RECONCILE_S):
        try:
            waiting = ledger.analyses.waiting(now=time.time(), older_than_s=_RECONCILE_S)
            # A long queue is not a lost one: only what the queue does not hold is sent again.
            if waiting and queue.depth() < len(waiting):
                for analysis_id, lane in waiting:
                    queue.put(analysis_id, lane)
        except Transient as error:
            _pause("waiting analyses not announced", error, stop)


def start_thread(name: str, work: Callable[[], None]) -> threading.Thread:
    """Run `work` beside the rest of the process."""
    thread = threading.Thread(target=work, name=name, daemon=True)
    thread.start()
    return thread


def _pause(message: str, error: Transient, stop: threading.Event) -> None:
    logger.warning(message, extra={"why": str(error)})
    stop.wait(_IDLE_S)
