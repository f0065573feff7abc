"""`wetread serve`: every door in a process of its own, watched, restarted, stopped in order."""

from __future__ import annotations

import logging
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass

from wetread.config import Settings, find_config
from wetread.deliver.tls import client_context
from wetread.errors import Misconfigured
from wetread.pipeline.parts import open_ledger, open_spool, read_bundles

_WATCH_S = 0.2
_STOP_S = 60.0
_LONGEST_WAIT_S = 30.0
_STEADY_S = 60.0
_STARTED_S = 15.0
_MISCONFIGURED = 2

logger = logging.getLogger(__name__)


@dataclass(slots=True)
class Part:
    """One child process: what it runs, and what is known of its life."""

    name: str
    arguments: tuple[str, ...]
    process: subprocess.Popen[bytes] | None = None
    started_at: float = 0.0
    start_again_at: float = 0.0
    failures: int = 0
    has_run: bool = False


def run(settings: Settings, stop: threading.Event) -> None:
    """Start every part, keep it alive until `stop`, then stop the doors first.

    Raises Misconfigured when a setting is wrong, or a part says so as it starts.
    """
    _check(settings)
    logger.info("settings are good", extra={"config": str(find_config() or "none")})
    keep_alive(_make_parts(settings), stop)


def keep_alive(parts: Sequence[Part], stop: threading.Event) -> None:
    """Start the parts in order, start again what dies, ever later, and stop all in reverse.

    Raises Misconfigured when a part says so at its first start.
    """
    try:
        for part in parts:
            _start(part)
        while not stop.wait(_WATCH_S):
            for part in parts:
                _watch(part)
    finally:
        _stop_all(parts)


def _check(settings: Settings) -> None:
    read_bundles(settings)
    for destination in settings.destinations:
        client_context(destination.to_domain().tls, destination=destination.name)
    open_spool(settings)
    # Made here once, so that the parts do not race for it.
    open_ledger(settings).close()


def _make_parts(settings: Settings) -> list[Part]:
    """In order of starting; stopped in reverse, so the listener goes first and the publisher late."""
    analysts = [
        Part(f"analyse-{slot}", ("work", "--role", "analyse", "--slot", str(slot)))
        for slot in range(settings.worker.processes)
    ]
    publisher = Part("publish", ("work", "--role", "publish"))
    return [Part("api", ("api",)), publisher, *analysts, Part("listen", ("listen",))]


def _start(part: Part) -> None:
    # The child stops when this pipe closes: it never outlives a supervisor that was killed.
    command = [sys.executable, "-m", "wetread", *part.arguments, "--until-stdin-closes"]
    part.process = subprocess.Popen(command, stdin=subprocess.PIPE)  # noqa: S603  # our own program
    part.started_at = time.monotonic()
    logger.info("part started", extra={"part": part.name, "pid": part.process.pid})


def _watch(part: Part) -> None:
    now = time.monotonic()
    if part.process is None:
        if now >= part.start_again_at:
            _start(part)
        return
    code = part.process.poll()
    if code is None:
        return
    _close_pipe(part.process)
    part.process = None
    part.has_run = part.has_run or now - part.started_at > _STARTED_S
    # Once it has run, a part that cannot start again must not take the healthy ones with it.
    if code == _MISCONFIGURED and not part.has_run:
        raise Misconfigured(f"{part.name} did not start; its own line above says why")
    part.failures = 1 if now - part.started_at > _STEADY_S else part.failures + 1
    wait_s = min(0.2 * 2 ** (part.failures - 1), _LONGEST_WAIT_S)
    part.start_again_at = now + wait_s
    logger.error("part died", extra={"part": part.name, "code": code, "starts_again_in_s": wait_s})


def _stop_all(parts: Sequence[Part]) -> None:
    for part in reversed(parts):
        if part.process is not None:
            _stop(part.name, part.process)
    logger.info("stopped")


def _stop(name: str, process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(_STOP_S)
    except subprocess.TimeoutExpired:
        logger.error("part does not stop and is killed", extra={"part": name})
        process.kill()
        process.wait()
    _close_pipe(process)


def _close_pipe(process: subprocess.Popen[bytes]) -> None:
    if process.stdin is not None:
        process.stdin.close()
