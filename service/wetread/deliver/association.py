"""Associations that we open: who calls, over TLS or not, and in words why none comes about."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Sequence
from typing import Final

from pydicom.uid import UID
from pynetdicom import AE, evt
from pynetdicom.association import Association
from pynetdicom.presentation import PresentationContext

from wetread.deliver.lifeline import Lifeline
from wetread.deliver.tls import client_context
from wetread.domain import IMPLEMENTATION_CLASS_UID, IMPLEMENTATION_VERSION_NAME, Destination
from wetread.errors import Unreachable

TIMEOUT_S: Final = 30.0
_MAXIMUM_PDU_BYTES: Final = 131072
# TLS 1.3 lets a client finish before the server has looked at its certificate: so long we wait for its alert.
_ALERT_S: Final = 1.0


class Caller:
    """Opens associations to one application entity, one at a time.

    `timeout_s` bounds the wait for an answer, and that for the next bytes of one. `lifeline` holds the
    association: cut, it ends.
    """

    def __init__(self, destination: Destination, *, calling_aet: str, timeout_s: float = TIMEOUT_S) -> None:
        self.timeout_s = timeout_s
        self.lifeline = Lifeline()
        self._connection: socket.socket | None = None
        self._to = destination
        self._entity = AE(ae_title=destination.calling_aet or calling_aet)
        self._entity.implementation_class_uid = UID(IMPLEMENTATION_CLASS_UID)
        self._entity.implementation_version_name = IMPLEMENTATION_VERSION_NAME
        self._entity.acse_timeout = min(timeout_s, 10.0)
        self._entity.dimse_timeout = timeout_s
        self._entity.network_timeout = timeout_s
        self._entity.connection_timeout = min(timeout_s, 5.0)
        self._tls = client_context(destination.tls, destination=destination.name) if destination.tls else None

    def associate(
        self, contexts: Sequence[PresentationContext], handlers: Sequence[evt.EventHandlerType] = ()
    ) -> Association | None:
        """An established association; None when the peer answers and accepts none of the contexts.

        Raises Unreachable.
        """
        self._drop()
        assoc = self._open(contexts, handlers)
        if assoc.is_established:
            return assoc
        self._drop()
        if assoc.is_rejected:
            raise _rejection(assoc)
        if assoc.rejected_contexts:
            return None
        raise self._unreachable()

    def _open(
        self, contexts: Sequence[PresentationContext], handlers: Sequence[evt.EventHandlerType]
    ) -> Association:
        try:
            with self.lifeline.within(self._opening_s):
                return self._entity.associate(
                    self._to.host,
                    self._to.port,
                    contexts=list(contexts),
                    ae_title=self._to.ae_title,
                    max_pdu=_MAXIMUM_PDU_BYTES,
                    evt_handlers=[(evt.EVT_CONN_OPEN, self._on_connected), *handlers],
                    tls_args=(self._tls, self._to.host) if self._tls else None,
                )
        except UnicodeError as error:
            # Python's, for a name that DNS cannot have.
            raise Unreachable(f"{self._to.host!r} is not the name of a host") from error

    def release(self, assoc: Association | None) -> None:
        """Release an association that was opened here."""
        if assoc is not None and assoc.is_established:
            with self.lifeline.within(self._opening_s):
                assoc.release()
        self._drop()

    def _drop(self) -> None:
        self.lifeline.drop()
        connection, self._connection = self._connection, None
        if connection is not None:
            # pynetdicom leaves open what the peer has ended.
            connection.close()

    @property
    def _opening_s(self) -> float:
        return float((self._entity.connection_timeout or 0.0) + (self._entity.acse_timeout or 0.0))

    def _on_connected(self, event: evt.Event) -> None:
        connection = event.assoc.dul.socket
        if connection is None or connection.socket is None:
            return
        # Nagle's wait costs 40 ms per object on a kept association.
        connection.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        # pynetdicom has none from here on: a peer that stops within a PDU would hold its thread for ever.
        connection.socket.settimeout(self.timeout_s)
        self._connection = connection.socket
        self.lifeline.watch(connection.socket)

    def _unreachable(self) -> Unreachable:
        where = f"{self._to.ae_title} at {self._to.host}:{self._to.port}"
        problem = self._probe_tls() if self._tls else ""
        if problem:
            return Unreachable(f"no TLS connection with {where}: {problem}", code="tls")
        return Unreachable(f"{where} does not answer")

    def _probe_tls(self) -> str:
        """What is wrong with the handshake, which pynetdicom keeps to itself; '' when nothing is."""
        assert self._tls is not None
        address = (self._to.host, self._to.port)
        try:
            with (
                socket.create_connection(address, timeout=self._entity.connection_timeout) as plain,
                self._tls.wrap_socket(plain, server_hostname=self._to.host) as secured,
            ):
                secured.settimeout(_ALERT_S)
                secured.recv(1)
        except ssl.SSLCertVerificationError as error:
            return f"its certificate is not trusted ({error.verify_message})"
        except ssl.SSLError as error:
            return (error.reason or str(error)).replace("_", " ").lower()
        except OSError:
            return ""
        return ""


def _rejection(assoc: Association) -> Unreachable:
    answer = assoc.acceptor.primitive
    where = f"{answer.result},{answer.result_source},{answer.diagnostic}" if answer else "no reason given"
    # PS3.8 table 9-21. No object was judged: an AE title that is entered later mends even a permanent one.
    return Unreachable(f"association rejected ({where})", code="association_rejected")
