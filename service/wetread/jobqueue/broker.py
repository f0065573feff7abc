"""The queue of many machines: Celery on Redis carries analysis ids and nothing else."""

from __future__ import annotations

import time

from celery import Celery
from kombu.connection import Connection
from kombu.entity import Exchange, Queue
from kombu.exceptions import OperationalError

from wetread.domain import AnalysisId, Lane
from wetread.errors import Unreachable

TASK = "wetread.analyse"
_SILENT_S = 3.0


def make_app(url: str) -> Celery:
    """The Celery application, JSON only. Each choice answers a fault that was measured."""
    app = Celery("wetread", broker=url, set_as_current=False)
    app.conf.update(
        task_serializer="json",
        accept_content=["json"],
        task_ignore_result=True,
        task_queues=[Queue(lane.value, Exchange(lane.value), routing_key=lane.value) for lane in Lane],
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
            # One quick try: kombu would otherwise hold a C-STORE for six seconds.
            "max_retries": 1,
            "interval_start": 0,
            "interval_step": 0.1,
            "interval_max": 0.1,
        },
        worker_hijack_root_logger=False,
        worker_send_task_events=False,
    )
    return app


class CeleryQueue:
    """Sends analysis ids to the workers of every machine."""

    def __init__(self, app: Celery) -> None:
        self._app = app
        self._silent_until = 0.0

    def put(self, analysis_id: AnalysisId, lane: Lane) -> None:
        """Send one id to its lane. Raises Unreachable when the broker is away; the ledger still has it.

        A broker that failed is not tried again for some seconds: doors must not wait on it.
        """
        if time.monotonic() < self._silent_until:
            raise Unreachable("the queue's broker did not answer a moment ago")
        try:
            self._app.send_task(TASK, args=[int(analysis_id)], queue=lane.value)
        except OperationalError as error:
            self._silent_until = time.monotonic() + _SILENT_S
            raise Unreachable("the queue's broker does not answer") from error

    def depth(self) -> int:
        """Messages on every lane that no worker has taken. Raises Unreachable."""
        with self._app.connection_for_read() as connection:
            try:
                connection.ensure_connection(max_retries=1, timeout=2)
                return sum(_messages(connection, lane.value) for lane in Lane)
            except (OperationalError, *connection.connection_errors) as error:
                raise Unreachable("the queue's broker does not answer") from error


def _messages(connection: Connection, queue: str) -> int:
    try:
        with connection.channel() as channel:
            return int(channel.queue_declare(queue=queue, passive=True).message_count)
    except connection.channel_errors:
        # On Redis an empty queue does not exist.
        return 0
