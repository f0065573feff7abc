"""What the gate costs: its share of all that is done to a study, measured on one road through it.

A study of two DX views of 10 MB each: decode, show, look at the picture, prepare, infer, build every object
of profile `everything`, check it, encode it. Ledger, spool and network are left out, so the share is the
most it can be. The answer is planted: two boxes a view, so that there is as much to check as there may be.
"""

from __future__ import annotations

import argparse
import cProfile
import os
import platform
import pstats
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

from tests.corpus.images import Image
from tests.corpus.objects import build_each
from tests.corpus.studies import Case, film_case
from wetread.domain import ModelId
from wetread.infer.bundle import Bundle, load_bundles
from wetread.infer.decode import read_image
from wetread.infer.engine import Engine
from wetread.infer.guard import Guard
from wetread.infer.prepare import to_display
from wetread.phantom.limb import draw_limb
from wetread.report.encode import to_part10
from wetread.report.gate import check
from wetread.report.measurement_group import warm
from wetread.report.source import reading_once

MODELS = Path(__file__).parents[2] / "models"
_GATE = "gate"
_STEPS = ("decode", "show", "picture", "prepare", "infer", "build", _GATE, "encode")


@dataclass(slots=True)
class Laps:
    """Milliseconds of one study by step."""

    ms: dict[str, float] = field(default_factory=lambda: defaultdict(float))

    @contextmanager
    def lap(self, step: str) -> Iterator[None]:
        """Add the time that the block takes."""
        started = time.perf_counter()
        yield
        self.ms[step] += 1000 * (time.perf_counter() - started)

    @property
    def share(self) -> float:
        """The gate's part of all, 0..1."""
        return self.ms[_GATE] / sum(self.ms.values())


@dataclass(frozen=True, slots=True)
class Reader:
    """The network that reads, and what looks at the picture first."""

    model: ModelId
    engine: Engine
    guard: Guard


def main() -> int:
    """Print a table of medians."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.gate", description=__doc__)
    parser.add_argument("--repeats", type=int, default=9)
    parser.add_argument("--rows", type=int, default=2560)
    parser.add_argument("--columns", type=int, default=2048)
    parser.add_argument("--profile", action="store_true", help="where the gate's time goes")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        case = study_of(Path(folder), rows=arguments.rows, columns=arguments.columns)
        laps = run(case, load_bundles(MODELS), model="fracture", repeats=arguments.repeats)
        size_mb = sum(image.instance.size_bytes for image in case.result.images) / 1e6
        print(f"{machine()}\n{len(case.result.images)} views, {size_mb:.1f} MB; {arguments.repeats} repeats")
        print(table(laps))
        if arguments.profile:
            profile(case)
    return 0


def study_of(folder: Path, *, rows: int, columns: int) -> Case:
    """Two views of a phantom limb, 14 bits in 16."""
    size = (rows, columns)
    images = [Image(name, "two boxes", study="bench", bits=14, size=size) for name in ("front", "side")]
    return film_case(images, draw_limb(2, broken=True).pixels, folder)


def run(case: Case, bundles: Sequence[Bundle], *, model: str, repeats: int) -> list[Laps]:
    """Walk the road `repeats` times, after once for warmth."""
    warm()
    with Engine(bundles, threads=os.cpu_count() or 1) as engine:
        reader = Reader(
            next(bundle.id for bundle in bundles if bundle.id.name == model), engine, Guard(engine, bundles)
        )
        return [_walk(case, reader) for _ in range(repeats + 1)][1:]


def table(laps: Sequence[Laps]) -> str:
    """Median milliseconds and share of every step, and the gate's share with its spread."""
    total = median(sum(one.ms.values()) for one in laps)
    lines = [f"{'step':8} {'ms':>8} {'share':>7}"]
    for step in _STEPS:
        took = median(one.ms[step] for one in laps)
        lines.append(f"{step:8} {took:8.1f} {took / total:7.1%}")
    shares = sorted(one.share for one in laps)
    lines.append(f"{'all':8} {total:8.1f}")
    lines.append(f"gate's share: median {median(shares):.1%}, least {shares[0]:.1%}, most {shares[-1]:.1%}")
    return "\n".join(lines)


def machine() -> str:
    """What was measured on."""
    names = [
        line.partition(":")[2].strip()
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        if line.startswith("model name")
    ]
    load = os.getloadavg()[0]
    name = names[0] if names else platform.machine()
    return f"{os.cpu_count()} x {name}, load {load:.1f}, Python {platform.python_version()}"


def profile(case: Case) -> None:
    """The gate's own functions by the time in them."""
    objects, sources = list(build_each(case)), reading_once()
    profiler = cProfile.Profile()
    with profiler:
        for built in objects:
            check(built, case.result, sources=sources)
    pstats.Stats(profiler).sort_stats("cumulative").print_stats(40)


def _walk(case: Case, reader: Reader) -> Laps:
    laps = Laps()
    for image in case.result.images:
        with laps.lap("decode"):
            decoded = read_image(image.path)
        with laps.lap("show"):
            display = to_display(decoded)
        if reader.guard.is_asked_by(reader.model):
            with laps.lap("picture"):
                reader.guard.check(reader.model, display)
        reading = reader.engine.read(reader.model.name, display)
        laps.ms["prepare"] += reading.prepare_ms
        laps.ms["infer"] += reading.infer_ms
    objects, sources = build_each(case), reading_once()
    while True:
        with laps.lap("build"):
            built = next(objects, None)
        if built is None:
            return laps
        with laps.lap(_GATE):
            check(built, case.result, sources=sources)
        with laps.lap("encode"):
            to_part10(built.ds)


if __name__ == "__main__":
    sys.exit(main())
