"""First step: bytes at a door become a durable instance with its planned and declined analyses."""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace

from wetread.domain import AnalysisId, ImageHeader, InstanceId, Lane, ModelId
from wetread.errors import Mismatch, Rejected, Transient, Unreadable
from wetread.jobqueue import JobQueue
from wetread.ledger import Ledger
from wetread.ledger.instances import Plan, Received, Registered
from wetread.ledger.quarantine import Quarantined
from wetread.route.header import read_header
from wetread.route.part10 import Bytes, make_prefix, parse_data_set, split_file
from wetread.route.rules import Scope, why_not
from wetread.spool.objects import Spool

_QUARANTINE_BYTES = 1 << 20
_SECONDARY_CAPTURE = "1.2.840.10008.5.1.4.1.1.7"

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Source:
    """Who brought an object: calling AE title, peer address, and the door (`dicom` or `http`)."""

    calling_aet: str
    peer: str
    door: str


@dataclass(frozen=True, slots=True)
class Offer:
    """A data set as a door received it, with what the request said about it."""

    sop_class_uid: str
    sop_instance_uid: str
    transfer_syntax_uid: str
    data_set: Bytes


@dataclass(frozen=True, slots=True)
class Admission:
    """What became of an offer. A result of ours that came back is neither kept nor analysed."""

    header: ImageHeader
    instance_id: InstanceId | None
    is_new: bool
    is_conflicting: bool
    analyses: tuple[AnalysisId, ...] = ()


@dataclass(frozen=True, slots=True)
class Reader:
    """A model as routing sees it: who it is and what it may read."""

    model: ModelId
    scope: Scope


class Admitter:
    """Takes objects from the doors. Safe to call from several threads."""

    def __init__(
        self,
        *,
        ledger: Ledger,
        spool: Spool,
        queue: JobQueue,
        readers: Sequence[Reader],
        urgent_callers: Sequence[str] = (),
        max_object_bytes: int = 512 * 2**20,
    ) -> None:
        self._ledger = ledger
        self._spool = spool
        self._queue = queue
        self._readers = tuple(readers)
        self._urgent_callers = frozenset(urgent_callers)
        self._max_object_bytes = max_object_bytes

    def receive_file(self, data: bytes, *, source: Source) -> Admission:
        """Take one Part 10 file; see `receive`."""
        try:
            parts = split_file(data)
        except Rejected as error:
            self.quarantine(data, error, source=source)
            raise
        offer = Offer(parts.sop_class_uid, parts.sop_instance_uid, parts.transfer_syntax_uid, parts.data_set)
        return self.receive(offer, source=source)

    def receive(self, offer: Offer, *, source: Source) -> Admission:
        """Take one data set: on return its file and its rows are durable.

        Raises Unreadable or Mismatch (a bounded copy is then in quarantine), OutOfSpace, Transient.
        """
        received_at = time.time()
        try:
            header = self._read_header(offer)
        except Rejected as error:
            self.quarantine(offer.data_set, error, source=source, uid=offer.sop_instance_uid)
            raise
        if self._is_ours(header):
            return Admission(header, None, is_new=False, is_conflicting=False)
        if source.calling_aet in self._urgent_callers:
            header = replace(header, is_urgent=True)
        registered = self._keep(offer, header, source=source, received_at=received_at)
        self._announce(registered.planned, header)
        return Admission(
            header,
            registered.instance_id,
            is_new=registered.is_new,
            is_conflicting=registered.is_conflicting,
            analyses=registered.planned,
        )

    def quarantine(self, data: Bytes, error: Rejected, *, source: Source, uid: str = "") -> None:
        """Record a refusal where a person finds it, with the first megabyte of what came."""
        kept = self._spool.put([memoryview(data)[:_QUARANTINE_BYTES]], suffix="bin") if len(data) else None
        entry = Quarantined(
            at=time.time(),
            reason=error.code,
            reason_text=str(error),
            size_bytes=len(data),
            sop_instance_uid="".join(character for character in uid if character in "0123456789.")[:64],
            calling_aet=source.calling_aet[:16],
            peer=source.peer[:64],
            door=source.door,
            spool_key=kept,
        )
        self._ledger.quarantine.add(entry)

    def _read_header(self, offer: Offer) -> ImageHeader:
        if len(offer.data_set) > self._max_object_bytes:
            raise Unreadable("the object is larger than is taken here", code="too_large")
        ds = parse_data_set(
            offer.data_set,
            transfer_syntax_uid=offer.transfer_syntax_uid,
            limit_bytes=self._max_object_bytes,
        )
        header = read_header(ds, transfer_syntax_uid=offer.transfer_syntax_uid)
        if header.SOPClassUID != offer.sop_class_uid:
            raise Mismatch("the request and the object name different SOP classes")
        if header.SOPInstanceUID != offer.sop_instance_uid:
            raise Mismatch("the request and the object name different SOP instances")
        return header

    def _is_ours(self, header: ImageHeader) -> bool:
        # A PACS that routes every stable study sends our results back: reading them would never end.
        if header.SOPClassUID == _SECONDARY_CAPTURE and header.Manufacturer.upper() == "WETREAD":
            return True
        return self._ledger.instances.is_result(header.SOPInstanceUID)

    def _keep(self, offer: Offer, header: ImageHeader, *, source: Source, received_at: float) -> Registered:
        prefix = make_prefix(
            sop_class_uid=header.SOPClassUID,
            sop_instance_uid=header.SOPInstanceUID,
            transfer_syntax_uid=offer.transfer_syntax_uid,
        )
        key = self._spool.put([prefix, offer.data_set], suffix="dcm")
        received = Received(
            header=header,
            digest=key[3:67],
            spool_key=key,
            size_bytes=len(prefix) + len(offer.data_set),
            received_at=received_at,
            calling_aet=source.calling_aet[:16],
            peer=source.peer[:64],
            door=source.door,
        )
        return self._ledger.instances.register(received, self._plan(header))

    def _plan(self, header: ImageHeader) -> list[Plan]:
        lane = Lane.URGENT if header.is_urgent else Lane.ROUTINE
        plans = []
        for reader in self._readers:
            no = why_not(header, reader.scope)
            plans.append(Plan(reader.model, lane, no.reason, no.text) if no else Plan(reader.model, lane))
        return plans

    def _announce(self, planned: Sequence[AnalysisId], header: ImageHeader) -> None:
        lane = Lane.URGENT if header.is_urgent else Lane.ROUTINE
        for analysis_id in planned:
            try:
                self._queue.put(analysis_id, lane)
            except Transient as error:
                # The row is in the ledger: the reconciler announces it again.
                logger.warning("analysis not announced", extra={"analysis": analysis_id, "why": str(error)})
