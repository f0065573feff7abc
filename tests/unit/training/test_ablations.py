"""The plan of the ablations and its table, without training anything."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from training.ablation_table import AblationTable, page_of
from training.intervals import auc_interval, difference_interval
from training.settings import Phase, TrainingSettings, load_settings
from training.variants import Budget, Variant, digest_of, load_plan, reduce, vary
from wetread.errors import Misconfigured

TRAINING = Path(__file__).parents[3] / "models" / "training"
BUDGET = Budget(steps=100, size=224)


@pytest.fixture
def settings() -> TrainingSettings:
    return load_settings(TRAINING / "fracture.toml")


def row(name: str, auc: float, difference: float | None) -> dict[str, object]:
    return {
        "name": name,
        "why": "because",
        "settings_sha256": name,
        "auc": auc,
        "auc_interval": [auc - 0.1, auc + 0.1],
        "difference": difference,
        "difference_interval": None if difference is None else [difference - 0.1, difference + 0.1],
        "peak_in_box": 0.5,
        "seconds": 12,
    }


@pytest.mark.parametrize("model", ["fracture", "pneumonia"])
def test_every_planned_row_fits_the_settings_and_changes_something(model: str) -> None:
    settings = load_settings(TRAINING / f"{model}.toml")
    budget, variants = load_plan(TRAINING / "ablations.toml", model)

    digests = [digest_of(vary(settings, variant, budget)) for variant in variants]

    assert len(set(digests)) == len(variants) > 1, "a row of ablations.toml changes nothing"
    assert vary(settings, variants[0], budget) == reduce(settings, budget)


def test_a_row_changes_its_own_settings_and_those_of_every_phase(settings: TrainingSettings) -> None:
    variant = Variant("bare", set={"map_weight": 0}, phases={"phantom_share": 0.0})

    varied = vary(settings, variant, BUDGET)

    assert varied.map_weight == 0.0
    assert isinstance(varied.map_weight, float)
    assert {phase.phantom_share for phase in varied.phases} == {0.0}
    assert varied.auxiliary_weight == settings.auxiliary_weight


@pytest.mark.parametrize(
    ("variant", "told"),
    [
        (Variant("odd", set={"colour": 1}), "row 'odd': no setting is called colour; known: "),
        (Variant("odd", phases={"colour": 1}), "row 'odd', phases: no setting is called colour; known: "),
        (Variant("odd", set={"map_weight": "none"}), "row 'odd': map_weight is 'none', the settings hold "),
        (Variant("odd", set={"flip_vertical": 0}), "row 'odd': flip_vertical is 0, the settings hold True"),
    ],
)
def test_a_row_that_does_not_fit_is_told_in_one_line(
    variant: Variant, told: str, settings: TrainingSettings
) -> None:
    with pytest.raises(Misconfigured) as caught:
        vary(settings, variant, BUDGET)

    assert str(caught.value).startswith(told)
    assert "\n" not in str(caught.value)


def test_a_model_without_a_budget_is_told(tmp_path: Path) -> None:
    (tmp_path / "ablations.toml").write_text('[budget.other]\nsteps = 1\nsize = 64\n[[rows]]\nname = "a"\n')

    with pytest.raises(Misconfigured, match=r"^ablations.toml: 'fracture'$"):
        load_plan(tmp_path / "ablations.toml", "fracture")


def test_a_budget_shares_steps_out_and_shrinks_sizes_in_proportion(settings: TrainingSettings) -> None:
    phase = Phase("a", steps=300, batch=8, size=448, crop=False, peak_learning_rate=1e-3, phantom_share=0.1)
    long = replace(settings, size=448, phases=(phase, replace(phase, name="b", steps=100, size=192)))

    short = reduce(long, Budget(steps=40, size=224))

    assert short.size == 224
    assert [(one.steps, one.size) for one in short.phases] == [(30, 224), (10, 96)]


def test_a_budget_never_makes_a_run_longer(settings: TrainingSettings) -> None:
    assert reduce(settings, Budget(steps=10**6, size=10**4)) == settings


def test_the_page_puts_the_first_row_first_and_the_others_best_first() -> None:
    rows = [row("worse", 0.6, -0.1), row("base", 0.7, None), row("better", 0.8, 0.1)]
    facts = {"budget": {"steps": 10, "size": 64}, "fold": {"images": 9, "positives": 3, "groups": 5}}

    page = page_of({"fracture": {**facts, "rows": rows}})

    names = [line.split(" | ")[0].strip("| ") for line in page.splitlines() if "because" in line]
    assert names == ["base", "better", "worse"]
    assert "| better | because | 0.800 [0.700, 0.900] | +0.100 [+0.000, +0.200] | 0.500 | 12 |" in page


def test_the_table_goes_on_where_it_stopped_and_drops_rows_of_other_settings(tmp_path: Path) -> None:
    scores = pd.DataFrame({"label": [0, 1], "group": ["a", "b"]})
    table = AblationTable(tmp_path, "fracture", BUDGET, {"base": "base", "other": "other"})
    table.add(row("base", 0.7, None), scores)
    table.add(row("other", 0.6, -0.1), scores)

    resumed = AblationTable(tmp_path, "fracture", BUDGET, {"base": "base", "other": "changed"})

    assert resumed.has("base")
    assert not resumed.has("other")
    assert json.loads((tmp_path / "ablations.json").read_text())["fracture"]["fold"]["groups"] == 2


def test_an_interval_holds_the_figure_and_widens_with_fewer_groups() -> None:
    rng = np.random.default_rng(1)
    labels = (np.arange(200) % 2).astype(np.int64)
    scores = labels + rng.normal(0, 1.0, 200)

    many = auc_interval(labels, scores, [str(n) for n in range(200)])
    few = auc_interval(labels, scores, [str(n // 20) for n in range(200)])

    assert many[0] < 0.76 < many[1]
    assert many[1] - many[0] > 0
    assert few[0] < few[1]


def test_the_difference_of_a_reader_to_itself_is_nothing() -> None:
    labels = (np.arange(60) % 2).astype(np.int64)
    scores = np.random.default_rng(2).normal(0, 1.0, 60)

    interval = difference_interval(labels, scores, scores, [str(n) for n in range(60)])

    assert interval == [0.0, 0.0]
