"""Turns what happens on an association into a call and an answer."""

from __future__ import annotations

import logging
import socket
import time
from typing import Any

from pynetdicom import evt
from pynetdicom.dimse_messages import C_STORE_RQ

from wetread.errors import Mismatch, WetreadError
from wetread.pipeline.admit import Admitter, Offer, Source
from wetread.receive.statuses import SUCCESS, status_for

# PS3.7 annex E.2: the value of Command Data Set Type when none follows.
_NO_DATA_SET = 0x0101

logger = logging.getLogger(__name__)


class Handlers:
    """The listener's answers to C-ECHO and C-STORE, and its log of associations."""

    def __init__(self, *, admitter: Admitter) -> None:
        self._admitter = admitter

    def bindings(self) -> list[evt.EventHandlerType]:
        """Event and handler pairs for pynetdicom's `start_server`."""
        return [
            (evt.EVT_CONN_OPEN, self.on_connection),
            (evt.EVT_DIMSE_RECV, self.on_message),
            (evt.EVT_C_ECHO, self.on_echo),
            (evt.EVT_C_STORE, self.on_store),
            (evt.EVT_REJECTED, self.on_rejected),
        ]

    def on_connection(self, event: Any) -> None:
        """Send small answers at once: Nagle's wait costs about 40 ms per C-STORE."""
        connection = event.assoc.dul.socket
        if connection is not None and connection.socket is not None:
            connection.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def on_message(self, event: Any) -> None:
        """Abort on a C-STORE that announces no data set, which PS3.7 9.3.1.1 forbids.

        pynetdicom would pass it over, and its sender would wait for an answer until it times out.
        """
        message = event.message
        if isinstance(message, C_STORE_RQ) and message.command_set.CommandDataSetType == _NO_DATA_SET:
            logger.warning("association aborted", extra={"why": "a C-STORE without a data set"})
            # PS3.8 table 9-10, as pynetdicom does itself for a message that it cannot decode.
            event.assoc.dul.event_queue.put("Evt19")

    def on_echo(self, event: Any) -> int:
        """C-ECHO: alive."""
        return SUCCESS

    def on_store(self, event: Any) -> int:
        """C-STORE: Success only once the file and its rows are on disk."""
        started = time.perf_counter()
        request = event.request
        source = Source(
            calling_aet=event.assoc.requestor.ae_title, peer=event.assoc.requestor.address or "", door="dicom"
        )
        fields: dict[str, object] = {"caller": source.calling_aet, "peer": source.peer}
        try:
            admission = self._admitter.receive(_to_offer(event), source=source)
        except WetreadError as error:
            status = status_for(error)
            fields |= {"status": f"0x{status:04X}", "reason": error.code, "why": str(error)}
            logger.warning("instance refused", extra=fields)
            return status
        except Exception:
            logger.exception("instance refused by a fault of ours", extra=fields)
            return status_for(Exception())
        fields |= {
            "instance": str(request.AffectedSOPInstanceUID),
            "new": admission.is_new,
            "conflicting": admission.is_conflicting,
            "analyses": len(admission.analyses),
            "ms": round(1000 * (time.perf_counter() - started), 1),
        }
        logger.info("instance received", extra=fields)
        return SUCCESS

    def on_rejected(self, event: Any) -> None:
        """An association was refused: say who and where from."""
        requestor = event.assoc.requestor
        fields = {"caller": requestor.ae_title, "peer": requestor.address}
        logger.warning("association rejected", extra=fields)


def _to_offer(event: Any) -> Offer:
    context = event.context
    command_class = str(event.request.AffectedSOPClassUID)
    if command_class != context.abstract_syntax:
        raise Mismatch("the request and its presentation context name different SOP classes")
    data = event.request.DataSet
    # getvalue() shares the buffer: a 10 MB image is not copied.
    return Offer(
        sop_class_uid=command_class,
        sop_instance_uid=str(event.request.AffectedSOPInstanceUID),
        transfer_syntax_uid=str(context.transfer_syntax),
        data_set=b"" if data is None else data.getvalue(),
    )
