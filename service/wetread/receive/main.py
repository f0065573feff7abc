"""`wetread listen`: builds the DICOM door, runs it until told to stop."""

from __future__ import annotations

import logging
import threading
from contextlib import ExitStack

from wetread.config import Settings
from wetread.pipeline.commit import Registrar
from wetread.pipeline.parts import beating, make_admitter, open_ledger, open_queue, open_spool
from wetread.receive.handlers import Handlers
from wetread.receive.listener import listening

logger = logging.getLogger(__name__)


def run(settings: Settings, stop: threading.Event) -> None:
    """Listen until `stop` is set. Raises Misconfigured when a setting is wrong."""
    with ExitStack() as stack:
        ledger = stack.enter_context(open_ledger(settings))
        spool = open_spool(settings)
        queue = stack.enter_context(open_queue(settings))
        admitter = make_admitter(settings, ledger=ledger, spool=spool, queue=queue)
        destinations = [destination.to_domain() for destination in settings.destinations]
        registrar = Registrar(ledger=ledger, destinations=destinations)
        titles = {item.calling_aet for item in destinations if item.commits and item.calling_aet}
        handlers = Handlers(admitter=admitter, registrar=registrar, titles=titles)
        stack.enter_context(listening(settings.dicom, handlers))
        stack.enter_context(beating(ledger, role="listen"))
        where = f"{settings.dicom.host}:{settings.dicom.port}"
        logger.info("listening", extra={"aet": settings.dicom.ae_title, "address": where})
        stop.wait()
        logger.info("stopping: no new associations")
