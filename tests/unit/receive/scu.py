"""A modality on loopback: a pynetdicom SCU that sends what a test says, odd UIDs included."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from io import BytesIO

from pydicom.uid import UID, ExplicitVRLittleEndian
from pynetdicom import AE
from pynetdicom.association import Association
from pynetdicom.dimse_primitives import C_STORE
from pynetdicom.presentation import PresentationContext, build_context

from wetread.receive.contexts import STORAGE_CLASSES, VERIFICATION

DX = "1.2.840.10008.5.1.4.1.1.1.1"
CR = "1.2.840.10008.5.1.4.1.1.1"


@contextmanager
def associated(
    port: int,
    *,
    caller: str = "MODALITY",
    called: str = "WETREAD",
    contexts: Sequence[PresentationContext] | None = None,
) -> Iterator[Association]:
    """An association, established or not; released on leaving."""
    entity = AE(ae_title=caller)
    entity.acse_timeout = entity.dimse_timeout = entity.network_timeout = 20
    wanted = contexts or [
        build_context(VERIFICATION),
        *(build_context(uid, ExplicitVRLittleEndian) for uid in STORAGE_CLASSES),
    ]
    assoc = entity.associate("127.0.0.1", port, contexts=list(wanted), ae_title=called, max_pdu=131072)
    try:
        yield assoc
    finally:
        if assoc.is_established:
            assoc.release()


def store(
    assoc: Association,
    data_set: bytes | memoryview | None,
    *,
    sop_class: str,
    instance: str,
    context_of: str = "",
) -> int:
    """C-STORE these bytes under these UIDs, whatever they are; the status, -1 when none came."""
    request = C_STORE()
    request.MessageID, request.Priority = 1, 2
    request.AffectedSOPClassUID, request.AffectedSOPInstanceUID = UID(sop_class), UID(instance)
    if data_set is not None:
        request.DataSet = BytesIO(data_set)
    wanted = context_of or sop_class
    [context] = [each for each in assoc.accepted_contexts if each.abstract_syntax == wanted]
    # As pynetdicom's own send_c_store does, which would send no object that it cannot parse.
    assoc._reactor_checkpoint.clear()  # see above
    while not assoc._is_paused:  # see above
        time.sleep(0.0001)
    assert context.context_id is not None
    assoc.dimse.send_msg(request, context.context_id)
    _, answer = assoc.dimse.get_msg(block=True)
    assoc._reactor_checkpoint.set()  # see above
    return -1 if answer is None or answer.Status is None else int(answer.Status)
