"""A stand-in PACS for the demo: stores what it is sent in a folder and remembers when."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydicom.uid import ExplicitVRLittleEndian
from pynetdicom import AE, evt
from pynetdicom.presentation import build_context

from wetread.deliver.classes import SOP_CLASS_OF
from wetread.receive.contexts import VERIFICATION
from wetread.receive.statuses import SUCCESS


@dataclass(frozen=True, slots=True)
class Stored:
    """One object the stand-in holds; `at` is epoch seconds."""

    StudyInstanceUID: str
    SOPInstanceUID: str
    SOPClassUID: str
    at: float
    path: Path


@dataclass(slots=True)
class StandIn:
    """What the stand-in PACS holds."""

    folder: Path
    port: int
    _stored: list[Stored] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def of_study(self, study: str) -> list[Stored]:
        """The objects of one study, in order of arrival."""
        with self._lock:
            return [item for item in self._stored if item.StudyInstanceUID == study]

    def on_store(self, event: Any) -> int:
        """C-STORE: write under a number of ours, never under a name from the wire."""
        with self._lock:
            path = self.folder / f"{len(self._stored) + 1:04}.dcm"
            path.write_bytes(event.encoded_dataset())
            ds = event.dataset
            stored = Stored(
                str(ds.StudyInstanceUID), str(ds.SOPInstanceUID), str(ds.SOPClassUID), time.time(), path
            )
            self._stored.append(stored)
        return SUCCESS


@contextmanager
def standing_in(folder: Path, *, port: int, ae_title: str = "STANDIN") -> Iterator[StandIn]:
    """Play a PACS on 127.0.0.1 while the context is open."""
    folder.mkdir(parents=True, exist_ok=True)
    pacs = StandIn(folder, port)
    entity = AE(ae_title=ae_title)
    entity.supported_contexts = [
        build_context(uid, ExplicitVRLittleEndian) for uid in (VERIFICATION, *SOP_CLASS_OF.values())
    ]
    server = entity.start_server(
        ("127.0.0.1", port), block=False, evt_handlers=[(evt.EVT_C_STORE, pacs.on_store)]
    )
    assert server is not None  # with block=False a server always comes back
    try:
        yield pacs
    finally:
        server.shutdown()
        server.server_close()
