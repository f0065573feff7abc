"""Builds what every door needs from the settings: the same parts, in one place."""

from __future__ import annotations

import logging
import os
import socket
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from wetread.config import Settings
from wetread.errors import Misconfigured, Transient
from wetread.infer.bundle import Bundle, load_bundles
from wetread.infer.guard import find_guard
from wetread.infer.signature import Trust
from wetread.jobqueue import JobQueue
from wetread.jobqueue.embedded import Bell, EmbeddedQueue
from wetread.ledger import Ledger
from wetread.ledger.workers import Beat
from wetread.pipeline.admit import Admitter, Reader
from wetread.route.rules import Scope
from wetread.spool.objects import Spool

_BEAT_S = 3.0

logger = logging.getLogger(__name__)


def open_ledger(settings: Settings) -> Ledger:
    """The ledger; its folder is made when it is the embedded one."""
    _make_home(settings.home)
    return Ledger(settings.ledger_url)


def open_spool(settings: Settings) -> Spool:
    """The spool. Raises Misconfigured when its folder cannot be made."""
    try:
        return Spool(settings.spool_folder, watermark_bytes=settings.spool.watermark_bytes)
    except OSError as error:
        # An unset spool lies in the home: name the setting that a person made.
        name = "spool.url" if settings.spool.url else "home"
        raise Misconfigured(f"setting {name}: {error.strerror}: {settings.spool_folder}") from error


@contextmanager
def open_queue(settings: Settings) -> Iterator[JobQueue]:
    """The queue: the ledger with a wake-up, or Celery when `queue.url` names a broker."""
    if settings.queue.url == "embedded":
        with work_bell(settings) as bell:
            yield EmbeddedQueue(bell)
    else:
        # Celery takes 200 ms to import: only who uses it pays.
        from wetread.jobqueue.broker import CeleryQueue, make_app

        with make_app(settings.queue.url) as app:
            yield CeleryQueue(app)


def work_bell(settings: Settings) -> Bell:
    """Rung when the ledger holds a new analysis."""
    return Bell(settings.home / "run" / "work.bell")


def publish_bell(settings: Settings) -> Bell:
    """Rung when an analysis has ended."""
    return Bell(settings.home / "run" / "publish.bell")


def read_bundles(settings: Settings) -> tuple[Bundle, ...]:
    """The model bundles.

    Raises Misconfigured when there is none, one is damaged or not trusted, or a guard is needed and missing.
    """
    bundles = load_bundles(settings.models_folder, make_trust(settings))
    find_guard(bundles)
    return bundles


def make_trust(settings: Settings) -> Trust:
    """Whose bundles the settings let in."""
    return Trust(settings.models.trusted_keys, allow_unsigned=settings.models.allow_unsigned)


def make_admitter(settings: Settings, *, ledger: Ledger, spool: Spool, queue: JobQueue) -> Admitter:
    """The first step, for a door that takes objects."""
    return Admitter(
        ledger=ledger,
        spool=spool,
        queue=queue,
        readers=to_readers(read_bundles(settings)),
        urgent_callers=settings.dicom.urgent_callers,
        max_object_bytes=settings.dicom.max_object_bytes,
    )


def to_readers(bundles: Sequence[Bundle]) -> list[Reader]:
    """Bundles as routing sees them; a guard reads nothing itself."""
    return [Reader(bundle.id, _to_scope(bundle)) for bundle in bundles if not bundle.manifest.is_guard]


def part_name(role: str, slot: int = 0) -> str:
    """A name that a part's successor on this machine has too."""
    return f"{socket.gethostname()}/{role}/{slot}"


@contextmanager
def beating(
    ledger: Ledger, *, role: str, slot: int = 0, provider: str = "", models: Sequence[str] = ()
) -> Iterator[str]:
    """Say every few seconds that this part is alive; gives its name, frees what its predecessor held."""
    name, started_at, stop = part_name(role, slot), time.time(), threading.Event()
    ledger.workers.release_claims(name)

    def beat() -> None:
        while not stop.is_set():
            try:
                now = time.time()
                ledger.workers.beat(Beat(name, role, started_at, now, provider, tuple(models)))
            except Transient as error:
                logger.warning("beat not written", extra={"part": name, "why": str(error)})
            stop.wait(_BEAT_S)

    thread = threading.Thread(target=beat, name=f"beat-{role}", daemon=True)
    thread.start()
    try:
        yield name
    finally:
        stop.set()
        thread.join()
        ledger.workers.leave(name)


def _make_home(home: Path) -> None:
    try:
        home.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        raise Misconfigured(f"setting home: {error.strerror}: {home}") from error
    if not os.access(home, os.W_OK):
        raise Misconfigured(f"setting home: not writable: {home}")


def _to_scope(bundle: Bundle) -> Scope:
    reads = bundle.manifest.reads
    return Scope(
        modalities=frozenset(reads.modalities),
        sop_classes=frozenset(reads.sop_classes),
        body_parts=frozenset(reads.body_parts),
        views=frozenset(reads.views),
        least_age_years=reads.least_age_years,
        most_age_years=reads.most_age_years,
        least_rows=reads.least_rows,
        least_columns=reads.least_columns,
    )
