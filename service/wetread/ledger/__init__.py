"""The ledger: the truth on disk. The queue only carries ids and may be wiped."""

from __future__ import annotations

from contextlib import ExitStack
from types import TracebackType

from wetread.ledger.analyses import Analyses
from wetread.ledger.commitments import Commitments
from wetread.ledger.deliveries import Deliveries
from wetread.ledger.held import HeldObjects
from wetread.ledger.instances import Instances
from wetread.ledger.quarantine import Quarantine
from wetread.ledger.reports import Reports
from wetread.ledger.store import Lease, Store
from wetread.ledger.studies import Studies
from wetread.ledger.views import Views
from wetread.ledger.workers import Workers

__all__ = ["Lease", "Ledger"]


class Ledger:
    """Every table by its noun, over one database. A context manager."""

    def __init__(self, url: str) -> None:
        with ExitStack() as opened:
            self._store = Store(url)
            opened.callback(self._store.close)
            self._store.create_tables()
            opened.pop_all()
        self.instances = Instances(self._store)
        self.analyses = Analyses(self._store)
        self.studies = Studies(self._store)
        self.reports = Reports(self._store)
        self.deliveries = Deliveries(self._store)
        self.commitments = Commitments(self._store)
        self.held = HeldObjects(self._store)
        self.quarantine = Quarantine(self._store)
        self.workers = Workers(self._store)
        self.views = Views(self._store)

    def __enter__(self) -> Ledger:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Release every connection."""
        self._store.close()
