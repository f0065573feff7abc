"""The measurement of the gate's cost runs; no time is asserted."""

from __future__ import annotations

from pathlib import Path

from tests.bench.gate import machine, run, study_of, table
from wetread.infer.bundle import load_bundles
from wetread.infer.signature import Trust

ASSETS = Path(__file__).parents[1] / "unit" / "infer" / "assets"


def test_bench_of_the_gate_times_every_step_of_a_small_study(tmp_path: Path) -> None:
    bundles = load_bundles(ASSETS, Trust((), allow_unsigned=True))

    laps = run(study_of(tmp_path, rows=120, columns=96), bundles, model="tiny", repeats=1)

    assert len(laps) == 1
    assert 0 < laps[0].share < 1
    assert {"decode", "infer", "build", "gate", "encode"} <= laps[0].ms.keys()
    assert "gate's share" in table(laps)
    assert "Python" in machine()
