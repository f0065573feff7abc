"""A PACS that answers what a test tells it to."""

from __future__ import annotations

import threading
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from pydicom.dataset import Dataset
from pynetdicom import AE, build_role, evt
from pynetdicom.association import Association
from pynetdicom.dimse_messages import N_ACTION_RSP
from pynetdicom.presentation import build_context

from tests.system.child import free_port
from wetread.deliver.classes import SOP_CLASS_OF
from wetread.deliver.commitment import STORAGE_COMMITMENT, WELL_KNOWN_INSTANCE

_NO_SUCH_OBJECT = 0x0112


@dataclass(slots=True)
class FussyPacs:
    """`statuses` are answered in turn, the last one for ever; `asked` are the instances it was sent.

    It offers storage commitment when it knows the port that it `reports_to`, or reports on the association
    of the request; it answers `action_status`, and has lost the first `loses` of the objects it is asked for.
    """

    statuses: list[int]
    port: int = field(default_factory=free_port)
    classes: Collection[str] = tuple(sorted(set(SOP_CLASS_OF.values())))
    reports_to: int = 0
    reports_on_same: bool = False
    action_status: int = 0x0000
    loses: int = 0
    asked: list[str] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)
    requests: list[Dataset] = field(default_factory=list)
    answers: list[int] = field(default_factory=list)
    _reports: list[threading.Thread] = field(default_factory=list)

    @property
    def destination(self) -> dict[str, object]:
        """The entry of Wetread's `destinations`."""
        return {"name": "fussy", "port": self.port, "ae_title": "FUSSY"}

    def on_store(self, event: evt.Event) -> int:
        """Answer as told."""
        self.asked.append(str(event.dataset.SOPInstanceUID))
        return self.statuses.pop(0) if len(self.statuses) > 1 else self.statuses[0]

    def on_action(self, event: evt.Event) -> tuple[int, None]:
        """Take a request for storage commitment; the report goes out on an association of its own."""
        self.requests.append(event.action_information)
        return self.action_status, None

    def on_sent(self, event: evt.Event) -> None:
        """Once a request is answered, report on it: earlier the two answers would cross."""
        if isinstance(event.message, N_ACTION_RSP) and not self.action_status:
            thread = threading.Thread(target=self._report, args=(self.requests[-1], event.assoc))
            thread.start()
            self._reports.append(thread)

    def _report(self, request: Dataset, assoc: Association) -> None:
        kept = list(request.ReferencedSOPSequence)
        failed = [kept.pop(0) for _ in range(min(self.loses, len(kept)))]
        self.loses -= len(failed)
        self.lost += [str(item.ReferencedSOPInstanceUID) for item in failed]
        event = to_event(request, kept, failed)
        if self.reports_on_same:
            self.answers.append(_send(assoc, event, 0))
        else:
            self.answers.append(report(event, self.reports_to, called=assoc.requestor.ae_title))

    @contextmanager
    def listening(self) -> Iterator[FussyPacs]:
        """Listen while the context is open."""
        entity = AE(ae_title="FUSSY")
        entity.supported_contexts = [build_context(name) for name in self.classes]
        if self.reports_to or self.reports_on_same:
            entity.add_supported_context(STORAGE_COMMITMENT)
        handlers: list[evt.EventHandlerType] = [
            (evt.EVT_C_STORE, self.on_store),
            (evt.EVT_N_ACTION, self.on_action),
            (evt.EVT_DIMSE_SENT, self.on_sent),
        ]
        server = entity.start_server(("127.0.0.1", self.port), block=False, evt_handlers=handlers)
        assert server is not None
        try:
            yield self
        finally:
            server.shutdown()
            server.server_close()
            for thread in self._reports:
                thread.join()


def report(event: Dataset, port: int, *, called: str, caller: str = "FUSSY", event_type: int = 0) -> int:
    """Open an association as an archive does and send an N-EVENT-REPORT; the status of its answer."""
    entity = AE(ae_title=caller)
    entity.acse_timeout = entity.dimse_timeout = entity.network_timeout = 20
    role = build_role(STORAGE_COMMITMENT, scp_role=True)
    assoc = entity.associate(
        "127.0.0.1", port, contexts=[build_context(STORAGE_COMMITMENT)], ae_title=called, ext_neg=[role]
    )
    assert assoc.is_established, f"no association with {called} on {port}"
    try:
        return _send(assoc, event, event_type)
    finally:
        assoc.release()


def _send(assoc: Association, event: Dataset, event_type: int) -> int:
    kind = event_type or (2 if event.get("FailedSOPSequence") else 1)
    answer, _ = assoc.send_n_event_report(event, kind, STORAGE_COMMITMENT, WELL_KNOWN_INSTANCE)
    return int(answer.Status)


def to_event(request: Dataset, kept: Sequence[Dataset], failed: Sequence[Dataset]) -> Dataset:
    """What an archive reports of a request. PS3.4 table J.3-2."""
    ds = Dataset()
    ds.TransactionUID = request.TransactionUID
    if kept:
        ds.ReferencedSOPSequence = list(kept)
    for item in failed:
        item.FailureReason = _NO_SUCH_OBJECT
    if failed:
        ds.FailedSOPSequence = list(failed)
    return ds
