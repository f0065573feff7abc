"""The queue: carries ids, never truth. Wiping it loses nothing."""

from __future__ import annotations

from typing import Protocol

from wetread.domain import AnalysisId, Lane


class JobQueue(Protocol):
    """Where a door announces an analysis: embedded, or Celery."""

    def put(self, analysis_id: AnalysisId, lane: Lane) -> None:
        """Announce one analysis. Raises Unreachable; the reconciler will announce it again."""

    def depth(self) -> int:
        """How many announcements nobody has taken yet. Raises Unreachable."""
