"""Counts as Prometheus reads them, made anew at each scrape: the ledger is the truth, no process counts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

CONTENT_TYPE: Final = CONTENT_TYPE_LATEST

# Every state shows from the start: a rate over a series that appears late misses its first case.
_STATES: Final[Mapping[str, tuple[str, ...]]] = {
    "studies": ("open", "concluded"),
    "analyses": ("pending", "running", "done", "declined", "failed"),
    "deliveries": ("pending", "sent", "committed", "degraded", "refused"),
}
_HELP: Final = {
    "studies": "Studies by state.",
    "analyses": "Analyses (one image x one model) by state.",
    "deliveries": "Deliveries (one object x one destination) by state.",
}


@dataclass(frozen=True, slots=True)
class Counts:
    """What is true now. `rows` by table and state; `parts_alive` as (role, provider)."""

    rows: Mapping[str, Mapping[str, int]]
    oldest_waiting_s: float
    spool_free_bytes: int
    parts_alive: Sequence[tuple[str, str]]
    version: str


def expose(counts: Counts) -> bytes:
    """The counts in Prometheus' text format."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Snapshot(counts))
    return generate_latest(registry)


class _Snapshot(Collector):
    def __init__(self, counts: Counts) -> None:
        self._counts = counts

    def collect(self) -> Iterator[Metric]:
        counts = self._counts
        yield _gauge(
            "wetread_build", "Always 1; the label tells the release.", {("version", counts.version): 1}
        )
        for table, states in _STATES.items():
            yield _by_state(table, states, counts.rows.get(table, {}))
        yield _total(
            "wetread_instances_received", "Instances kept, by door.", "door", counts.rows, "instances"
        )
        yield _total(
            "wetread_quarantined", "Objects refused, by reason.", "reason", counts.rows, "quarantine"
        )
        yield _total(
            "wetread_held", "Result objects held back by the gate, by kind.", "kind", counts.rows, "held"
        )
        yield _gauge(
            "wetread_oldest_waiting_seconds",
            "Age of the oldest analysis that is not finished; 0 when none waits.",
            {None: counts.oldest_waiting_s},
        )
        yield _gauge("wetread_spool_free_bytes", "Space left for the spool.", {None: counts.spool_free_bytes})
        yield _parts(counts.parts_alive)


def _by_state(table: str, states: tuple[str, ...], found: Mapping[str, int]) -> Metric:
    metric = GaugeMetricFamily(f"wetread_{table}", _HELP[table], labels=["state"])
    for state in dict.fromkeys((*states, *found)):
        metric.add_metric([state], found.get(state, 0))
    return metric


def _total(name: str, text: str, label: str, rows: Mapping[str, Mapping[str, int]], table: str) -> Metric:
    metric = CounterMetricFamily(name, text, labels=[label])
    for value, count in sorted(rows.get(table, {}).items()):
        metric.add_metric([value], count)
    return metric


def _gauge(name: str, text: str, values: Mapping[tuple[str, str] | None, float]) -> Metric:
    labels = [pair[0] for pair in values if pair is not None]
    metric = GaugeMetricFamily(name, text, labels=labels)
    for pair, value in values.items():
        metric.add_metric([] if pair is None else [pair[1]], value)
    return metric


def _parts(alive: Sequence[tuple[str, str]]) -> Metric:
    metric = GaugeMetricFamily(
        "wetread_parts_alive", "Living parts, by role and execution provider.", labels=["role", "provider"]
    )
    for (role, provider), count in sorted(Counter(alive).items()):
        metric.add_metric([role, provider], count)
    return metric
