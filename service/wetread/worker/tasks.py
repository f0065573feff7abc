"""The Celery side of a worker: a message is an analysis id, and the ledger decides whether to act on it."""

from __future__ import annotations

import logging
import time

from celery import Celery
from celery.signals import worker_shutting_down

from wetread.domain import AnalysisId
from wetread.jobqueue.broker import TASK
from wetread.ledger import Lease, Ledger
from wetread.pipeline.analyse import Analyser
from wetread.worker.loops import give_back

logger = logging.getLogger(__name__)


def serve_tasks(
    app: Celery, *, ledger: Ledger, analyser: Analyser, holder: str, lease_s: float, level: str
) -> None:
    """Work on messages until SIGTERM, in this process: CUDA and Celery's prefork pool do not mix."""

    @app.task(name=TASK)
    def run(analysis_id: int) -> None:
        lease = Lease(holder, time.time(), lease_s)
        analysis = ledger.analyses.claim(AnalysisId(analysis_id), lease)
        # None: done already, or in other hands. A message may come twice; the work is done once.
        if analysis is None:
            return
        try:
            analyser.analyse(analysis)
        except Exception:
            # The reconciler announces it again; it is given up after some attempts.
            logger.exception("analysis ended by a fault", extra={"analysis": analysis.id})
            give_back(ledger, analysis.id)

    worker_shutting_down.connect(_on_stop, weak=False)
    options = ["--pool=solo", "--queues=urgent,routine", f"--hostname={holder.replace('/', '-')}@%h"]
    quiet = ["--without-gossip", "--without-mingle", "--without-heartbeat", f"--loglevel={level}"]
    app.worker_main(["--quiet", "worker", *options, *quiet])


def _on_stop(sig: str, how: str, exitcode: int, **_: object) -> None:
    logger.info("stopping: no new tasks", extra={"signal": sig, "how": how})
