"""`wetread api`: builds the HTTP door's parts, serves until told to stop."""

from __future__ import annotations

import logging
import socket
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import uvicorn

from wetread.api.app import create_app
from wetread.api.auth import KEY_FILE, Gate, load_admin_key
from wetread.api.parts import ApiParts
from wetread.config import HttpSettings, Settings
from wetread.errors import Misconfigured
from wetread.pipeline.parts import beating, make_admitter, open_ledger, open_queue, open_spool, read_bundles

_GRACE_S = 10
_BACKLOG = 256

logger = logging.getLogger(__name__)


def run(settings: Settings, stop: threading.Event) -> None:
    """Serve until `stop` is set. Raises Misconfigured when a setting is wrong."""
    with ExitStack() as stack:
        ledger = stack.enter_context(open_ledger(settings))
        spool = open_spool(settings)
        queue = stack.enter_context(open_queue(settings))
        parts = ApiParts(
            settings=settings,
            ledger=ledger,
            spool=spool,
            bundles=read_bundles(settings),
            admitter=make_admitter(settings, ledger=ledger, spool=spool, queue=queue),
            gate=Gate(load_admin_key(settings.home)),
        )
        listening = stack.enter_context(_listen(settings.http))
        stack.enter_context(beating(ledger, role="api"))
        where = f"http://{settings.http.host}:{settings.http.port}/"
        logger.info("serving", extra={"address": where, "key": settings.home / KEY_FILE})
        _serve(parts, listening, stop)


def _listen(http: HttpSettings) -> socket.socket:
    family = socket.AF_INET6 if ":" in http.host else socket.AF_INET
    try:
        return socket.create_server((http.host, http.port), family=family, backlog=_BACKLOG)
    except OSError as error:
        raise Misconfigured(
            f"setting http: cannot listen on {http.host}:{http.port}: {error.strerror}"
        ) from error


def _serve(parts: ApiParts, listening: socket.socket, stop: threading.Event) -> None:
    """Until `stop`; requests that run are finished first."""
    config = uvicorn.Config(
        create_app(parts),
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=_GRACE_S,
    )
    server = uvicorn.Server(config)
    # In a thread of its own: uvicorn takes signals only in the main one, and they are the caller's.
    with ThreadPoolExecutor(1, "http") as threads:
        serving = threads.submit(server.run, sockets=[listening])
        serving.add_done_callback(lambda _: stop.set())
        stop.wait()
        logger.info("stopping: no new requests")
        server.should_exit = True
        serving.result()
