"""C-STORE SCU: one association per destination, kept between objects."""

from __future__ import annotations

import socket
import time
from pathlib import Path

from pydicom.filereader import read_file_meta_info
from pynetdicom import AE, evt
from pynetdicom.association import Association
from pynetdicom.presentation import PresentationContext, build_context

from wetread.domain import Destination
from wetread.errors import Refused, Unreachable

# What Wetread makes: Comprehensive 3D SR and Secondary Capture, explicit little endian.
RESULT_CLASSES = ("1.2.840.10008.5.1.4.1.1.88.34", "1.2.840.10008.5.1.4.1.1.7")
# PS3.5 10.1: the default, implicit, is always offered; some PACS take nothing else.
_SYNTAXES = ("1.2.840.10008.1.2.1", "1.2.840.10008.1.2")
_IDLE_S = 5.0
_TIMEOUT_S = 30.0
# PS3.7 C: 0111 duplicate SOP instance means that it is there.
_DUPLICATE = 0x0111


class DicomSender:
    """Sends objects to one application entity."""

    def __init__(
        self,
        destination: Destination,
        *,
        calling_aet: str,
        contexts: list[PresentationContext] | None = None,
        timeout_s: float = _TIMEOUT_S,
    ) -> None:
        self._destination = destination
        self._contexts = contexts or _result_contexts()
        self._entity = AE(ae_title=calling_aet)
        self._entity.acse_timeout = min(timeout_s, 10.0)
        self._entity.dimse_timeout = timeout_s
        self._entity.network_timeout = timeout_s
        self._entity.connection_timeout = min(timeout_s, 5.0)
        self._assoc: Association | None = None
        self._used_at = 0.0

    def send(self, path: Path) -> str:
        """C-STORE one file; the status as `0x0000`. Raises Refused or Unreachable."""
        assoc = self._associated()
        sop_class_uid = str(read_file_meta_info(path).MediaStorageSOPClassUID)
        if not any(context.abstract_syntax == sop_class_uid for context in assoc.accepted_contexts):
            raise Refused("the destination does not accept this SOP class", code="no_context")
        try:
            answer = assoc.send_c_store(path)
        except ValueError as error:
            # pynetdicom: no context with a syntax that this object can be sent in.
            raise Refused("the destination takes another transfer syntax", code="no_context") from error
        except AttributeError as error:
            # pynetdicom: the file's header lacks what a C-STORE has to name.
            raise Refused("the file cannot be sent as it is", code="unsendable") from error
        except RuntimeError as error:
            # pynetdicom: the association is gone.
            self.close()
            raise Unreachable("the association ended before the object was sent") from error
        self._used_at = time.monotonic()
        return self._judge(answer.Status if "Status" in answer else None)

    def rest(self) -> None:
        """Release an association that has been idle: some PACS count them."""
        if self._assoc is not None and time.monotonic() - self._used_at > _IDLE_S:
            self.close()

    def close(self) -> None:
        """Release the association."""
        assoc, self._assoc = self._assoc, None
        if assoc is not None and assoc.is_established:
            assoc.release()

    def _associated(self) -> Association:
        if self._assoc is None or not self._assoc.is_established:
            self._assoc = self._associate()
            self._used_at = time.monotonic()
        return self._assoc

    def _associate(self) -> Association:
        to = self._destination
        assoc = self._entity.associate(
            to.host,
            to.port,
            contexts=self._contexts,
            ae_title=to.ae_title,
            max_pdu=131072,
            evt_handlers=[(evt.EVT_CONN_OPEN, _send_at_once)],
        )
        if assoc.is_established:
            return assoc
        if assoc.is_rejected:
            raise _rejection(assoc)
        raise Unreachable(f"{to.ae_title} at {to.host}:{to.port} does not answer")

    def _judge(self, status: int | None) -> str:
        if status is None:
            self.close()
            raise Unreachable("no answer to C-STORE: connection lost or timed out")
        text = f"0x{status:04X}"
        if status in {0x0000, _DUPLICATE} or status & 0xF000 == 0xB000:
            return text
        if status & 0xFF00 == 0xA700:
            raise Unreachable(f"the destination is out of resources ({text})", code=text)
        raise Refused(f"the destination refused the object ({text})", code=text)


def _result_contexts() -> list[PresentationContext]:
    # One context for each syntax: a peer that takes both accepts both, and gets the bytes as they are.
    return [build_context(uid, syntax) for uid in RESULT_CLASSES for syntax in _SYNTAXES]


def _send_at_once(event: evt.Event) -> None:
    # Nagle's wait costs 40 ms per object on a kept association.
    connection = event.assoc.dul.socket
    if connection is not None and connection.socket is not None:
        connection.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)


def _rejection(assoc: Association) -> Unreachable:
    answer = assoc.acceptor.primitive
    where = f"{answer.result},{answer.result_source},{answer.diagnostic}" if answer else "no reason given"
    # PS3.8 table 9-21. No object was judged: an AE title that is entered later mends even a permanent one.
    return Unreachable(f"association rejected ({where})", code="association_rejected")
