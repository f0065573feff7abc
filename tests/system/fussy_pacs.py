"""A PACS that answers what a test tells it to."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from pynetdicom import AE, evt

from tests.system.child import free_port
from tests.system.orthanc import CAPTURE_CLASS, SR_CLASS


@dataclass(slots=True)
class FussyPacs:
    """`statuses` are answered in turn, the last one for ever; `asked` are the instances it was sent."""

    statuses: list[int]
    port: int = field(default_factory=free_port)
    asked: list[str] = field(default_factory=list)

    @property
    def destination(self) -> dict[str, object]:
        """The entry of Wetread's `destinations`."""
        return {"name": "fussy", "port": self.port, "ae_title": "FUSSY"}

    def on_store(self, event: evt.Event) -> int:
        """Answer as told."""
        self.asked.append(str(event.dataset.SOPInstanceUID))
        return self.statuses.pop(0) if len(self.statuses) > 1 else self.statuses[0]

    @contextmanager
    def listening(self) -> Iterator[FussyPacs]:
        """Listen while the context is open."""
        entity = AE(ae_title="FUSSY")
        for name in (SR_CLASS, CAPTURE_CLASS):
            entity.add_supported_context(name)
        handlers: list[evt.EventHandlerType] = [(evt.EVT_C_STORE, self.on_store)]
        server = entity.start_server(("127.0.0.1", self.port), block=False, evt_handlers=handlers)
        assert server is not None
        try:
            yield self
        finally:
            server.shutdown()
            server.server_close()
