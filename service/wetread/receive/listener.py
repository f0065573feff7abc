"""The DICOM listener: bounded associations, known peers, one thread each."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

from pydicom.uid import UID
from pynetdicom import AE, _config

from wetread.config import DicomSettings
from wetread.domain import IMPLEMENTATION_CLASS_UID, IMPLEMENTATION_VERSION_NAME
from wetread.errors import Misconfigured
from wetread.receive.contexts import supported_contexts
from wetread.receive.handlers import Handlers

# 128 KiB receives twice as fast as the default 16 KiB; "unlimited" is slower again.
MAXIMUM_PDU_BYTES = 131072
# Container engines kill ten seconds after they asked to stop.
_GOODBYE_S = 8.0


@contextmanager
def listening(settings: DicomSettings, handlers: Handlers) -> Iterator[None]:
    """Serve DICOM in the background while the context is open.

    On leaving, no new association is taken, and those in progress have some seconds to finish.
    Raises Misconfigured when the address cannot be bound.
    """
    # Accept SOP Instance UIDs as they are: the admitter checks them and answers with a proper status.
    _config.ENFORCE_UID_CONFORMANCE = False
    entity = _make_entity(settings)
    address = (settings.host, settings.port)
    try:
        server = entity.start_server(address, block=False, evt_handlers=handlers.bindings())
    except OSError as error:
        where = f"{settings.host}:{settings.port}"
        why = error.strerror or str(error)
        raise Misconfigured(f"setting dicom.host / dicom.port: cannot listen on {where}: {why}") from error
    assert server is not None  # with block=False a server always comes back
    try:
        yield
    finally:
        # `entity.shutdown()` would abort a C-STORE in flight; this lets it finish.
        server.shutdown()
        _end_associations(entity, limit_s=min(_GOODBYE_S, settings.network_timeout_s))
        server.server_close()


def _make_entity(settings: DicomSettings) -> AE:
    entity = AE(ae_title=settings.ae_title)
    entity.implementation_class_uid = UID(IMPLEMENTATION_CLASS_UID)
    entity.implementation_version_name = IMPLEMENTATION_VERSION_NAME
    entity.maximum_associations = settings.max_associations
    entity.maximum_pdu_size = MAXIMUM_PDU_BYTES
    entity.network_timeout = settings.network_timeout_s
    entity.acse_timeout = settings.network_timeout_s
    entity.dimse_timeout = settings.network_timeout_s
    entity.require_called_aet = settings.check_called_aet
    entity.require_calling_aet = list(settings.allowed_callers)
    entity.supported_contexts = supported_contexts()
    return entity


def _end_associations(entity: AE, *, limit_s: float) -> None:
    deadline = time.monotonic() + limit_s
    for association in entity.active_associations:
        association.join(timeout=max(0.0, deadline - time.monotonic()))
    # What is left is idle or stalled: nothing on it has been answered, so its sender will try again.
    for association in entity.active_associations:
        association.abort()
