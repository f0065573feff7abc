"""Turns what happens on an association into a call and an answer."""

from __future__ import annotations

import logging
import socket
import time
from collections.abc import Collection
from typing import Any

from pynetdicom import evt
from pynetdicom.dimse_messages import C_STORE_RQ

from wetread.deliver.commitment import PROCESSING_FAILURE, answer_report
from wetread.errors import Mismatch, WetreadError
from wetread.pipeline.admit import Admitter, Offer, Source
from wetread.pipeline.commit import Registrar
from wetread.receive.statuses import SUCCESS, UNRECOGNISED_OPERATION, status_for

# PS3.7 annex E.2: the value of Command Data Set Type when none follows.
_NO_DATA_SET = 0x0101

logger = logging.getLogger(__name__)


class Handlers:
    """The listener's answers to C-ECHO, C-STORE and N-EVENT-REPORT, and its log of associations.

    `titles` are the AE titles that we call destinations by: they answer to them, beside the listener's own.
    """

    def __init__(self, *, admitter: Admitter, registrar: Registrar, titles: Collection[str] = ()) -> None:
        self._admitter = admitter
        self._registrar = registrar
        self._titles = frozenset(titles)

    def bindings(self) -> list[evt.EventHandlerType]:
        """Event and handler pairs for pynetdicom's `start_server`."""
        return [
            (evt.EVT_CONN_OPEN, self.on_connection),
            (evt.EVT_REQUESTED, self.on_request),
            (evt.EVT_DIMSE_RECV, self.on_message),
            (evt.EVT_C_ECHO, self.on_echo),
            (evt.EVT_C_STORE, self.on_store),
            (evt.EVT_N_EVENT_REPORT, self.on_report),
            (evt.EVT_N_ACTION, self.on_action),
            (evt.EVT_REJECTED, self.on_rejected),
        ]

    def on_connection(self, event: Any) -> None:
        """Send small answers at once: Nagle's wait costs about 40 ms per C-STORE."""
        connection = event.assoc.dul.socket
        if connection is not None and connection.socket is not None:
            connection.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def on_request(self, event: Any) -> None:
        """Answer to every title that we call by: pynetdicom checks the called one against a single title."""
        called = event.assoc.requestor.primitive.called_ae_title
        if called in self._titles:
            event.assoc.acceptor.ae_title = called

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

    def on_report(self, event: Any) -> tuple[int, None]:
        """N-EVENT-REPORT: what an archive says of storage commitment, on an association of its own."""
        caller = event.assoc.requestor.ae_title
        try:
            return answer_report(event, take=self._registrar.enter, caller=caller), None
        except Exception:
            logger.exception("commitment report refused by a fault of ours", extra={"caller": caller})
            return PROCESSING_FAILURE, None

    def on_action(self, event: Any) -> tuple[int, None]:
        """N-ACTION: we commit ourselves to nothing."""
        return UNRECOGNISED_OPERATION, None

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
