"""A ledger that owes something, and destinations that answer by a list."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path

from tests.unit.ledger.rows import finish_all, register, report, study_of
from wetread.deliver import Commitment
from wetread.domain import (
    Delivery,
    DeliveryState,
    Destination,
    ObjectKind,
    ResultObject,
    SopInstanceUid,
)
from wetread.errors import NotOffered, WetreadError
from wetread.ledger import Ledger
from wetread.ledger.studies import Claim
from wetread.spool.objects import Spool


class ScriptedSender:
    """A destination that answers by a list; the last answer repeats. So do `commitments`."""

    def __init__(
        self,
        *answers: str | WetreadError,
        commitments: Sequence[Commitment | WetreadError | None] = (NotOffered("it does not offer it"),),
    ) -> None:
        self.answers = list(answers)
        self.commitments = list(commitments)
        self.sent: list[bytes] = []
        self.asked: list[tuple[str, int]] = []

    def send(self, path: Path) -> str:
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        self.sent.append(path.read_bytes())
        if isinstance(answer, WetreadError):
            raise answer
        return answer

    def request_commitment(
        self, deliveries: Sequence[Delivery], *, transaction_uid: str
    ) -> Commitment | None:
        answer = self.commitments.pop(0) if len(self.commitments) > 1 else self.commitments[0]
        self.asked.append((transaction_uid, len(deliveries)))
        if isinstance(answer, WetreadError):
            raise answer
        return answer

    def rest(self) -> None:
        """Holds nothing."""

    def cut(self) -> None:
        """Answers at once."""

    def close(self) -> None:
        """Holds nothing."""


def owe(ledger: Ledger, spool: Spool, name: str, *destinations: str) -> None:
    """One capture of a study of this name, due to each destination."""
    register(ledger, name)
    finish_all(ledger)
    key = spool.put([name.encode()], suffix="dcm")
    uid = SopInstanceUid(f"1.2.{len(ledger.views.worklist(limit=100))}")
    made = ResultObject(uid, "1.2.840.10008.5.1.4.1.1.7", "1.2", ObjectKind.CAPTURE, key, len(name))
    ledger.reports.conclude(
        Claim(study_of(name), 1, 1, 1),
        report(study_of(name), 1, made, at=time.time() - 1),
        worst_zone="",
        destinations=[Destination(each, "dicom") for each in destinations],
    )


def states(ledger: Ledger, name: str) -> dict[str, DeliveryState]:
    """State by destination of what is owed of a study."""
    return {item.destination: item.state for item in ledger.deliveries.of_study(study_of(name))}
