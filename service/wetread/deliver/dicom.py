"""C-STORE SCU: one association per destination, kept between objects."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from pydicom.errors import InvalidDicomError
from pydicom.filereader import read_file_meta_info
from pynetdicom.association import Association
from pynetdicom.presentation import PresentationContext, build_context

from wetread.deliver import Commitment
from wetread.deliver.association import TIMEOUT_S, Caller
from wetread.deliver.classes import class_name, classes_for
from wetread.deliver.commitment import CommitmentLine, Take
from wetread.deliver.lifeline import upload_s
from wetread.deliver.statuses import judge
from wetread.domain import Delivery, Destination
from wetread.errors import ClassNotTaken, NotOffered, NotTakenYet, Refused, Unreachable

# PS3.5 10.1: the default, implicit, is always offered; some PACS take nothing else.
_SYNTAXES: Final = ("1.2.840.10008.1.2.1", "1.2.840.10008.1.2")
_IDLE_S: Final = 5.0


class DicomSender:
    """Sends objects to one application entity, and asks it to commit itself to them.

    Proposes the SOP classes of the objects that the destination gets, or `contexts`. `take` is given what
    it reports of storage commitment on an association of ours.
    """

    def __init__(
        self,
        destination: Destination,
        *,
        calling_aet: str,
        contexts: list[PresentationContext] | None = None,
        timeout_s: float = TIMEOUT_S,
        take: Take | None = None,
    ) -> None:
        self._contexts = contexts or _contexts_for(destination)
        self._proposed = frozenset(str(context.abstract_syntax) for context in self._contexts)
        self._caller = Caller(destination, calling_aet=calling_aet, timeout_s=timeout_s)
        self._line = (
            CommitmentLine(
                Caller(destination, calling_aet=calling_aet, timeout_s=timeout_s),
                archive=destination.ae_title,
                take=take,
            )
            if take is not None and destination.commits
            else None
        )
        self._assoc: Association | None = None
        self._untaken: frozenset[str] = frozenset()
        self._used_at = 0.0

    def send(self, path: Path) -> str:
        """C-STORE one file; the status as `0x0000`. Raises ClassNotTaken, Refused or Unreachable."""
        sop_class_uid = _sop_class_in(path)
        if sop_class_uid not in self._proposed:
            name = class_name(sop_class_uid)
            raise Refused(f"the destination is not set to get objects of {name}", code="not_proposed")
        assoc = self._associated()
        if assoc is None or sop_class_uid in self._untaken:
            raise self._not_taken(sop_class_uid, code="no_context")
        # The response is awaited from the first byte of the object on.
        limit_s = self._caller.timeout_s + upload_s(path.stat().st_size)
        assoc.dimse_timeout = limit_s
        try:
            with self._caller.lifeline.within(limit_s):
                answer = assoc.send_c_store(path)
        except ValueError as error:
            # pynetdicom: no context with a syntax that this object can be sent in.
            raise Refused("the destination takes another transfer syntax", code="no_context") from error
        except AttributeError as error:
            # pynetdicom: the file's header lacks what a C-STORE has to name.
            raise Refused("the file cannot be sent as it is", code="unsendable") from error
        except RuntimeError as error:
            # pynetdicom: the association is gone.
            self._release()
            raise Unreachable("the association ended before the object was sent") from error
        self._used_at = time.monotonic()
        return self._judge(answer.Status if "Status" in answer else None, sop_class_uid)

    def request_commitment(
        self, deliveries: Sequence[Delivery], *, transaction_uid: str
    ) -> Commitment | None:
        """Send N-ACTION; None: the answer is an N-EVENT-REPORT. Raises NotOffered or Unreachable."""
        if self._line is None:
            raise NotOffered("the destination is not set to commit itself")
        self._line.ask(deliveries, transaction_uid=transaction_uid)
        return None

    def rest(self) -> None:
        """Release what has been idle: some PACS count their associations."""
        if self._assoc is not None and time.monotonic() - self._used_at > _IDLE_S:
            self._release()
        if self._line is not None:
            self._line.rest()

    def cut(self) -> None:
        """End every association from another thread."""
        self._caller.lifeline.cut()
        if self._line is not None:
            self._line.cut()

    def close(self) -> None:
        """Release every association."""
        self._release()
        if self._line is not None:
            self._line.close()

    def _release(self) -> None:
        assoc, self._assoc = self._assoc, None
        self._caller.release(assoc)

    def _associated(self) -> Association | None:
        if self._assoc is None or not self._assoc.is_established:
            self._assoc = self._caller.associate(self._contexts)
            accepted = self._assoc.accepted_contexts if self._assoc else []
            self._untaken = self._proposed - {str(context.abstract_syntax) for context in accepted}
            self._used_at = time.monotonic()
        return self._assoc

    def _judge(self, status: int | None, sop_class_uid: str) -> str:
        if status is None:
            self._release()
            # Another object may fare better: some servers die of one.
            raise NotTakenYet("no answer to C-STORE: connection lost or timed out")
        try:
            return judge(status)
        except ClassNotTaken as error:
            # Accepted and refused all the same: known until the next association.
            self._untaken |= {sop_class_uid}
            raise self._not_taken(sop_class_uid, code=error.code) from error

    def _not_taken(self, sop_class_uid: str, *, code: str) -> ClassNotTaken:
        what = f"the destination takes no {class_name(sop_class_uid)}"
        return ClassNotTaken(what, code=code, untaken=self._untaken)


def _sop_class_in(path: Path) -> str:
    try:
        return str(read_file_meta_info(path).MediaStorageSOPClassUID)
    except (InvalidDicomError, AttributeError, ValueError, EOFError) as error:
        # pydicom's errors for a file that is damaged or no Part 10 file.
        raise Refused("the file cannot be sent as it is", code="unsendable") from error


def _contexts_for(destination: Destination) -> list[PresentationContext]:
    # One context for each syntax: a peer that takes both accepts both, and gets the bytes as they are.
    return [build_context(uid, syntax) for uid in classes_for(destination) for syntax in _SYNTAXES]
