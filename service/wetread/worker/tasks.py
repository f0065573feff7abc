"""The Celery side of a worker: a message wakes it, and the ledger decides what is done."""

from __future__ import annotations

import logging
import time

from celery import Celery
from celery.signals import worker_shutting_down

from wetread.jobqueue.broker import TASK
from wetread.ledger import Lease, Ledger
from wetread.pipeline.analyse import Analyser
from wetread.worker.loops import analyse_or_give_back

logger = logging.getLogger(__name__)


def serve_tasks(
    app: Celery, *, ledger: Ledger, analyser: Analyser, holder: str, lease_s: float, level: str
) -> None:
    """Work on messages until SIGTERM, in this process: CUDA and Celery's prefork pool do not mix."""

    @app.task(name=TASK)
    def run(analysis_id: int) -> None:
        # A message says that there is work; which case is first, the ledger says. So urgent stays urgent
        # although the broker takes lanes in turn, and a message may be lost or come twice.
        analysis = ledger.analyses.claim_next(Lease(holder, time.time(), lease_s))
        if analysis is not None:
            analyse_or_give_back(analysis, ledger=ledger, analyser=analyser)

    worker_shutting_down.connect(_on_stop, weak=False)
    options = ["--pool=solo", "--queues=urgent,routine", f"--hostname={holder.replace('/', '-')}@%h"]
    quiet = ["--without-gossip", "--without-mingle", "--without-heartbeat", f"--loglevel={level}"]
    app.worker_main(["--quiet", "worker", *options, *quiet])


def _on_stop(sig: str, how: str, exitcode: int, **_: object) -> None:
    logger.info("stopping: no new tasks", extra={"signal": sig, "how": how})
