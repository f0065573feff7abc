"""A destination on loopback that answers as a test says."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from pydicom.dataset import Dataset
from pydicom.uid import ExplicitVRLittleEndian
from pynetdicom import AE, evt
from pynetdicom.presentation import build_context

from wetread.deliver.classes import SOP_CLASS_OF
from wetread.domain import Destination


@dataclass(slots=True)
class Pacs:
    """What it was sent, and the statuses it answers; the last one repeats."""

    port: int
    statuses: list[int]
    received: list[Dataset] = field(default_factory=list)
    associations: int = 0
    proposed: set[str] = field(default_factory=set)
    aborts_next: bool = False

    @property
    def destination(self) -> Destination:
        """How Wetread knows it."""
        return Destination("pacs", "dicom", "127.0.0.1", self.port, "PACS")

    def on_accepted(self, event: evt.Event) -> None:
        """Count the associations, note what they propose."""
        self.associations += 1
        self.proposed |= {
            str(context.abstract_syntax) for context in event.assoc.requestor.requested_contexts
        }

    def on_store(self, event: evt.Event) -> int:
        """Keep the object, answer the next status."""
        if self.aborts_next:
            self.aborts_next = False
            event.assoc.abort()
            return 0xC000
        ds = event.dataset
        ds.file_meta = event.file_meta
        self.received.append(ds)
        return self.statuses.pop(0) if len(self.statuses) > 1 else self.statuses[0]


@contextmanager
def pacs(
    *statuses: int,
    classes: Collection[str] = frozenset(SOP_CLASS_OF.values()),
    syntaxes: Sequence[str] = (ExplicitVRLittleEndian,),
    callers: Sequence[str] = (),
) -> Iterator[Pacs]:
    """Serve on a free port while the context is open."""
    entity = AE(ae_title="PACS")
    entity.require_called_aet = True
    entity.require_calling_aet = list(callers)
    entity.supported_contexts = [build_context(uid, list(syntaxes)) for uid in sorted(classes)]
    there = Pacs(0, list(statuses) or [0x0000])
    handlers: list[evt.EventHandlerType] = [
        (evt.EVT_C_STORE, there.on_store),
        (evt.EVT_ACCEPTED, there.on_accepted),
    ]
    server = entity.start_server(("127.0.0.1", 0), block=False, evt_handlers=handlers)
    assert server is not None
    there.port = server.server_address[1]
    try:
        yield there
    finally:
        entity.shutdown()
