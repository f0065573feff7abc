"""`wetread work`: builds the workers' parts, warms the models, runs until told to stop."""

from __future__ import annotations

import logging
import os
import signal
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from functools import partial
from types import MappingProxyType

from wetread.config import Settings
from wetread.deliver import Sender
from wetread.deliver.dicom import DicomSender
from wetread.deliver.dicomweb import DicomwebSender
from wetread.deliver.pace import Pace
from wetread.domain import CommitmentReport, Destination
from wetread.errors import WetreadError
from wetread.infer.engine import Engine, available_providers
from wetread.infer.guard import Guard
from wetread.ledger import Ledger
from wetread.pipeline.analyse import Analyser
from wetread.pipeline.commit import Committer, Registrar
from wetread.pipeline.conclude import Concluder
from wetread.pipeline.degrade import Degrader
from wetread.pipeline.parts import (
    beating,
    open_ledger,
    open_queue,
    open_spool,
    part_name,
    publish_bell,
    read_bundles,
    work_bell,
)
from wetread.pipeline.publish import Publisher
from wetread.report.measurement_group import warm
from wetread.spool.objects import Spool
from wetread.worker.destinations import say_destinations
from wetread.worker.loops import (
    ConclusionLoop,
    DeliveryLoop,
    reconcile,
    run_analyses,
    start_thread,
    stop_deliveries,
)

logger = logging.getLogger(__name__)


def run_analyst(settings: Settings, stop: threading.Event, *, slot: int = 0) -> None:
    """Run models on what waits. Raises Misconfigured when there is no usable model."""
    bundles = read_bundles(settings)
    with ExitStack() as stack:
        ledger = stack.enter_context(open_ledger(settings))
        engine = stack.enter_context(
            Engine(bundles, threads=settings.worker.threads, providers=available_providers())
        )
        provider = engine.provider(bundles[0].manifest.name)
        models = [f"{bundle.id.name} {bundle.id.version}" for bundle in bundles]
        holder = stack.enter_context(
            beating(ledger, role="analyse", slot=slot, provider=provider, models=models)
        )
        analyser = Analyser(
            ledger=ledger,
            spool=open_spool(settings),
            engine=engine,
            guard=Guard(engine, bundles),
            models=[bundle.id for bundle in bundles],
            max_attempts=settings.worker.max_attempts,
            ended=stack.enter_context(publish_bell(settings)).ring,
        )
        logger.info("models are warm", extra={"models": ", ".join(models), "provider": provider})
        _take_work(settings, stop, stack=stack, ledger=ledger, analyser=analyser, holder=holder)


def _take_work(
    settings: Settings,
    stop: threading.Event,
    *,
    stack: ExitStack,
    ledger: Ledger,
    analyser: Analyser,
    holder: str,
) -> None:
    if settings.queue.url == "embedded":
        run_analyses(
            ledger=ledger,
            analyser=analyser,
            bell=stack.enter_context(work_bell(settings)),
            holder=holder,
            lease_s=settings.worker.lease_s,
            stop=stop,
        )
        return
    if stop.is_set():
        # Celery takes the signals over as it starts: one that came before would be lost.
        return
    # Celery takes 200 ms to import: only who uses it pays.
    from wetread.jobqueue.broker import make_app
    from wetread.worker.tasks import serve_tasks

    serve_tasks(
        stack.enter_context(make_app(settings.queue.url)),
        ledger=ledger,
        analyser=analyser,
        holder=holder,
        lease_s=settings.worker.lease_s,
        level=settings.log.level,
    )


def run_publisher(settings: Settings, stop: threading.Event, *, slot: int = 0) -> None:
    """Conclude quiet studies, publish what is owed, and announce again what a queue forgot."""
    with ExitStack() as stack:
        ledger = stack.enter_context(open_ledger(settings))
        spool = open_spool(settings)
        spool.inbox.sweep()
        queue = stack.enter_context(open_queue(settings))
        bell = stack.enter_context(publish_bell(settings))
        destinations = [destination.to_domain() for destination in settings.destinations]
        holder = part_name("publish", slot)
        concluder = Concluder(
            ledger=ledger,
            spool=spool,
            destinations=destinations,
            max_side=settings.capture.max_side,
            max_bytes=round(settings.capture.max_megabytes * 10**6),
        )
        loops = _delivery_loops(settings, ledger, spool, stack, holder=holder)
        loop = ConclusionLoop(
            ledger=ledger,
            concluder=concluder,
            holder=holder,
            quiet_s=settings.study.quiet_s,
            lease_s=settings.worker.lease_s,
        )
        warm()
        stack.enter_context(beating(ledger, role="publish", slot=slot))
        say_destinations(destinations, ledger=ledger, listens_at=settings.dicom.host)
        reconciling = start_thread("reconcile", partial(reconcile, ledger=ledger, queue=queue, stop=stop))
        delivering = {
            start_thread(f"to-{name}", partial(each.run, stop=stop)): each for name, each in loops.items()
        }
        loop.run(bell=bell, concluded=partial(_wake_all, list(loops.values())), stop=stop)
        stop_deliveries(delivering)
        reconciling.join()


def _wake_all(loops: Sequence[DeliveryLoop]) -> None:
    for loop in loops:
        loop.wake()


def _delivery_loops(
    settings: Settings, ledger: Ledger, spool: Spool, stack: ExitStack, *, holder: str
) -> dict[str, DeliveryLoop]:
    """One for each destination: none waits for another."""
    destinations = [destination.to_domain() for destination in settings.destinations]
    registrar = Registrar(ledger=ledger, destinations=destinations)
    senders = _make_senders(destinations, settings.dicom.ae_title, registrar, stack)
    paces = {item.name: Pace(item) for item in destinations}
    loops = {}
    for name, sender in senders.items():
        publisher = Publisher(
            ledger=ledger,
            spool=spool,
            senders={name: sender},
            degrader=Degrader(ledger=ledger, spool=spool, destinations=destinations),
            holder=holder,
            lease_s=settings.worker.lease_s,
            paces=paces,
        )
        committer = Committer(
            ledger=ledger,
            senders={name: sender},
            destinations=destinations,
            registrar=registrar,
            paces=paces,
        )
        loops[name] = DeliveryLoop(publisher=publisher, committer=committer, sender=sender)
    return loops


def _make_senders(
    destinations: Sequence[Destination], aet: str, registrar: Registrar, stack: ExitStack
) -> dict[str, Sender]:
    senders: dict[str, Sender] = {}
    for destination in destinations:
        sender = _MAKERS[destination.kind](destination, aet, registrar)
        stack.callback(sender.close)
        senders[destination.name] = sender
    return senders


def _dicom_sender(destination: Destination, aet: str, registrar: Registrar) -> Sender:
    def take(report: CommitmentReport, caller: str) -> None:
        try:
            registrar.enter(report, caller)
        except WetreadError:
            raise
        except Exception:
            # pynetdicom, which calls this, answers it and is not heard: its log quotes patient data.
            logger.exception("commitment report refused by a fault of ours", extra={"caller": caller})
            raise

    return DicomSender(destination, calling_aet=aet, take=take)


def _dicomweb_sender(destination: Destination, aet: str, registrar: Registrar) -> Sender:
    return DicomwebSender(destination)


_MAKERS = MappingProxyType({"dicom": _dicom_sender, "dicomweb": _dicomweb_sender})


def run_all(settings: Settings, stop: threading.Event, *, slot: int = 0) -> None:
    """Both roles in one process: the publisher beside the models."""
    with ThreadPoolExecutor(1, "publisher") as threads:
        publishing = threads.submit(run_publisher, settings, stop, slot=slot)
        publishing.add_done_callback(lambda _: _stop_process(stop))
        try:
            run_analyst(settings, stop, slot=slot)
        finally:
            stop.set()
        publishing.result()


def _stop_process(stop: threading.Event) -> None:
    # A publisher that ends on its own takes the process with it: half a worker would look alive.
    if not stop.is_set():
        os.kill(os.getpid(), signal.SIGTERM)
