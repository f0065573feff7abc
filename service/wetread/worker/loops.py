"""The loops of a worker process: each takes what the ledger says is due, until told to stop."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping
from functools import partial

from wetread.deliver import Sender
from wetread.domain import Analysis, AnalysisId
from wetread.errors import InferenceFailed, Rejected, Transient
from wetread.jobqueue import JobQueue
from wetread.jobqueue.embedded import Bell
from wetread.ledger import Lease, Ledger
from wetread.pipeline.analyse import Analyser
from wetread.pipeline.commit import Committer
from wetread.pipeline.conclude import Concluder
from wetread.pipeline.publish import Publisher

_IDLE_S = 1.0
_PUBLISHER_IDLE_S = 0.25
_RETRY_S = 5.0
_LONGEST_RETRY_S = 300.0
_RECONCILE_S = 3.0
_FINISH_S = 5.0
_CUT_AGAIN_S = 0.25

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
        analyse_or_give_back(analysis, ledger=ledger, analyser=analyser)


def analyse_or_give_back(analysis: Analysis, *, ledger: Ledger, analyser: Analyser) -> None:
    """Analyse what was claimed; whatever goes wrong, the case goes on.

    A fault counts, and the analysis is given up after some of them; a disk or ledger that is away does not.
    """
    try:
        analyser.analyse(analysis)
    except Exception as error:
        is_counted = isinstance(error, InferenceFailed) or not isinstance(error, Transient)
        logger.exception("analysis not ended", extra={"analysis": analysis.id, "counted": is_counted})
        _give_back(ledger, analysis.id, is_counted=is_counted)


def _give_back(ledger: Ledger, analysis_id: AnalysisId, *, is_counted: bool) -> None:
    # When the ledger is away the lease lapses instead.
    try:
        ledger.analyses.release(analysis_id, not_before=time.time() + _RETRY_S, is_counted=is_counted)
    except Transient as error:
        logger.warning("analysis not given back", extra={"analysis": analysis_id, "why": str(error)})


class ConclusionLoop:
    """Concludes studies as they fall quiet."""

    def __init__(
        self, *, ledger: Ledger, concluder: Concluder, holder: str, quiet_s: float, lease_s: float
    ) -> None:
        self._ledger = ledger
        self._concluder = concluder
        self._holder = holder
        self._quiet_s = quiet_s
        self._lease_s = lease_s

    def run(self, *, bell: Bell, concluded: Callable[[], None], stop: threading.Event) -> None:
        """Until `stop`: conclude, call `concluded`, sleep until the next study is quiet or the bell rings."""
        while not stop.is_set():
            try:
                if self.conclude_next():
                    concluded()
                else:
                    bell.wait(self._sleep_s())
            except Transient as error:
                _pause("studies cannot be concluded", error, stop)
            except Exception:
                logger.exception("conclusion ended by a fault")
                stop.wait(_IDLE_S)

    def conclude_next(self) -> bool:
        """Conclude one study that is due; False when none is. A study that fails waits, others go on."""
        claim = self._ledger.studies.claim_due(self._lease(), quiet_s=self._quiet_s)
        if claim is None:
            return False
        retry_at = time.time() + min(_RETRY_S * claim.attempts, _LONGEST_RETRY_S)
        give_back = partial(self._ledger.studies.release, claim.study, not_before=retry_at)
        try:
            if not self._concluder.conclude(claim):
                self._ledger.studies.release(claim.study, not_before=0.0, problem="", is_counted=False)
        except Transient:
            give_back(problem="spool or ledger away", is_counted=False)
            raise
        except Rejected as error:
            logger.error("study held back", extra={"study": claim.study, "why": str(error)})
            give_back(problem=str(error))
        except Exception as error:
            give_back(problem=f"a fault of the service ({type(error).__name__})")
            raise
        return True

    def _lease(self) -> Lease:
        return Lease(self._holder, time.time(), self._lease_s)

    def _sleep_s(self) -> float:
        due_at = self._ledger.studies.next_due_at(quiet_s=self._quiet_s)
        if due_at is None:
            return _PUBLISHER_IDLE_S
        return min(max(due_at - time.time(), 0.01), _PUBLISHER_IDLE_S)


class DeliveryLoop:
    """Publishes what one destination is owed and asks it for commitment: if it hangs, only it waits."""

    def __init__(self, *, publisher: Publisher, committer: Committer, sender: Sender) -> None:
        self._publisher = publisher
        self._committer = committer
        self._sender = sender
        self._wake = threading.Event()

    def wake(self) -> None:
        """There may be something to send."""
        self._wake.set()

    def run(self, *, stop: threading.Event) -> None:
        """Until `stop`."""
        while not stop.is_set():
            try:
                self._work_next()
            except Transient as error:
                _pause("deliveries cannot be made", error, stop)
            except Exception:
                logger.exception("delivery ended by a fault")
                self._put_off()
                stop.wait(_IDLE_S)

    def cut(self) -> None:
        """End what its destination is waited for, from another thread."""
        self._sender.cut()

    def _work_next(self) -> None:
        is_published = self._publisher.publish_next()
        if self._committer.ask_next() or is_published:
            return
        self._wake.wait(_PUBLISHER_IDLE_S)
        self._wake.clear()
        self._sender.rest()

    def _put_off(self) -> None:
        # When the ledger is away the lease lapses instead.
        try:
            self._publisher.put_off()
        except Transient as error:
            logger.warning("delivery not put off", extra={"why": str(error)})


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


def stop_deliveries(loops: Mapping[threading.Thread, DeliveryLoop]) -> None:
    """Wait for what is under way once `stop` is set, but not for a destination that takes its time."""
    until = time.monotonic() + _FINISH_S
    for thread in loops:
        thread.join(max(until - time.monotonic(), 0.0))
    for thread, loop in loops.items():
        while thread.is_alive():
            # Again and again: it may just be opening a connection.
            loop.cut()
            thread.join(_CUT_AGAIN_S)


def _pause(message: str, error: Transient, stop: threading.Event) -> None:
    logger.warning(message, extra={"why": str(error)})
    stop.wait(_IDLE_S)
