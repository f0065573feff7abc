"""A sender that breaks the rules on purpose: what DCMTK refuses to send, over pynetdicom."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO

from pydicom.uid import UID
from pynetdicom import AE
from pynetdicom.association import Association
from pynetdicom.dimse_messages import C_STORE_RQ
from pynetdicom.dimse_primitives import C_STORE
from pynetdicom.pdu_primitives import P_DATA

from tests.system.dcmtk import Modality

DX = "1.2.840.10008.5.1.4.1.1.1.1"
CR = "1.2.840.10008.5.1.4.1.1.1"
EXPLICIT_LITTLE_ENDIAN = "1.2.840.10008.1.2.1"


@contextmanager
def associated(modality: Modality, *classes: str) -> Iterator[Association]:
    """An association that proposes these SOP classes, released at the end."""
    entity = AE(ae_title=modality.calling_aet)
    for name in classes or (DX, CR):
        entity.add_requested_context(name, EXPLICIT_LITTLE_ENDIAN)
    assoc = entity.associate("127.0.0.1", modality.port, ae_title=modality.called_aet)
    assert assoc.is_established
    try:
        yield assoc
    finally:
        if assoc.is_established:
            assoc.release()


def store(
    assoc: Association, data_set: bytes, *, sop_class: str, sop_instance: str, context_class: str = ""
) -> int:
    """C-STORE these bytes under this command, whatever they hold; the status answered."""
    wanted = context_class or sop_class
    context = next(c for c in assoc.accepted_contexts if c.abstract_syntax == wanted)
    assert context.context_id is not None
    request = C_STORE()
    request.MessageID, request.Priority = 1, 2
    request.AffectedSOPClassUID = UID(sop_class)
    request.AffectedSOPInstanceUID = UID(sop_instance)
    request.DataSet = BytesIO(data_set or b"\0")
    # As pynetdicom's own send_c_store does: its reactor would take the answer for itself.
    assoc._reactor_checkpoint.clear()
    while not assoc._is_paused:
        time.sleep(0.0001)
    if data_set:
        assoc.dimse.send_msg(request, context.context_id)
    else:
        _send_empty(assoc, request, context.context_id)
    _, answer = assoc.dimse.get_msg(block=True)
    assoc._reactor_checkpoint.set()
    assert isinstance(answer, C_STORE)
    assert answer.Status is not None
    return int(answer.Status)


def _send_empty(assoc: Association, request: C_STORE, context_id: int) -> None:
    """A data set of no bytes: its one fragment is there, and is empty."""
    message = C_STORE_RQ()
    message.primitive_to_message(request)
    command, _ = message.encode_msg(context_id, assoc.dimse.maximum_pdu_size)
    nothing = P_DATA()
    nothing.presentation_data_value_list.append((context_id, b"\x02"))
    for part in (command, nothing):
        assoc.dul.send_pdu(part)
