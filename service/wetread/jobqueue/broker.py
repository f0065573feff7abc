"""The queue of many machines: Celery on Redis carries analysis ids and nothing else."""

from __future__ import annotations

from celery import Celery
from kombu.entity import Queue
from kombu.exceptions import OperationalError

from wetread.domain import AnalysisId, Lane
from wetread.errors import Unreachable

TASK = "wetread.analyse"


def make_app(url: str) -> Celery:
    """The Celery application, JSON only. Each choice answers a fault that was measured."""
    app = Celery("wetread", broker=url, set_as_current=False)
    app.conf.update(
        task_serializer="json",
        accept_content=["json"],
        task_ignore_result=True,
        task_queues=[Queue(lane.value) for lane in Lane],
        task_default_queue=Lane.ROUTINE.value,
        # A killed worker's task must come back, and one that kills its process must not vanish.
        task_acks_late=True,
        task_reject_on_worker_lost=True,
        worker_prefetch_multiplier=1,
        broker_connection_retry_on_startup=True,
        # Publishing never hangs a door: the reconciler sends again what was not sent.
        task_publish_retry=False,
        broker_transport_options={
            "visibility_timeout": 120,
            "unacked_restore_interval": 2,
            "unacked_restore_throttle": 1,
            "socket_timeout": 5,
            "socket_connect_timeout": 2,
            "socket_keepalive": True,
        },
        worker_hijack_root_logger=False,
        worker_send_task_events=False,
    )
    return app


class CeleryQueue:
    """Sends analysis ids to the workers of every machine."""

    def __init__(self, app: Celery) -> None:
        self._app = app

    def put(self, analysis_id: AnalysisId, lane: Lane) -> None:
        """Send one id to its lane. Raises Unreachable when the broker is away; the ledger still has it."""
        try:
            self._app.send_task(TASK, args=[int(analysis_id)], queue=lane.value)
        except OperationalError as error:
            raise Unreachable("the queue's broker does not answer") from error
