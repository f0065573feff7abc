"""The parts of the first step, real ones, in a folder of the test."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from wetread.domain import AnalysisId, Lane, ModelId
from wetread.errors import Unreachable
from wetread.jobqueue import JobQueue
from wetread.jobqueue.embedded import Bell, EmbeddedQueue
from wetread.ledger import Ledger
from wetread.pipeline.admit import Admitter, Reader, Source
from wetread.route.rules import Scope
from wetread.spool.objects import Spool

FROM_MODALITY = Source(calling_aet="MODALITY", peer="127.0.0.1", door="dicom")
_DX = "1.2.840.10008.5.1.4.1.1.1.1"
_CR = "1.2.840.10008.5.1.4.1.1.1"


def reader(name: str, *body_parts: str) -> Reader:
    """A model that reads radiographs of these body parts."""
    scope = Scope(
        modalities=frozenset({"CR", "DX"}),
        sop_classes=frozenset({_DX, _CR}),
        body_parts=frozenset(body_parts),
        views=frozenset(),
        least_age_years=None,
        most_age_years=None,
        least_rows=1,
        least_columns=1,
    )
    return Reader(ModelId(name, "1.0.0", "d" * 64), scope)


READERS = (reader("fracture", "HAND", "LEG"), reader("pneumonia", "CHEST"))


class DeadQueue:
    """A broker that is away."""

    def put(self, analysis_id: AnalysisId, lane: Lane) -> None:
        """Never works."""
        raise Unreachable("the queue's broker does not answer")

    def depth(self) -> int:
        """Never works."""
        raise Unreachable("the queue's broker does not answer")


@dataclass(frozen=True, slots=True)
class FirstStep:
    """An admitter and what it writes to."""

    admitter: Admitter
    ledger: Ledger
    spool: Spool
    folder: Path
    bell: Bell

    def files(self) -> list[Path]:
        """Everything in the spool, half-written files included."""
        return sorted(path for path in (self.folder / "spool").rglob("*") if path.is_file())


@contextmanager
def first_step(
    folder: Path,
    *,
    queue: JobQueue | None = None,
    readers: Sequence[Reader] = READERS,
    max_object_bytes: int = 2**24,
    watermark_bytes: int = 0,
) -> Iterator[FirstStep]:
    """Build the parts over SQLite and a folder."""
    spool = Spool(folder / "spool", watermark_bytes=watermark_bytes)
    with Ledger(f"sqlite:///{folder / 'ledger.db'}") as ledger, Bell(folder / "work.bell") as bell:
        admitter = Admitter(
            ledger=ledger,
            spool=spool,
            queue=queue or EmbeddedQueue(bell),
            readers=readers,
            urgent_callers=["TRAUMA"],
            max_object_bytes=max_object_bytes,
        )
        yield FirstStep(admitter, ledger, spool, folder, bell)
