"""Rows of the ablation table: settings changed by name, at one reduced budget. No PyTorch."""

from __future__ import annotations

import hashlib
import json
import tomllib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path
from typing import Any, TypeVar

from training.settings import Phase, TrainingSettings
from wetread.errors import Misconfigured

# The network halves its input five times.
SIZE_STEP = 32
Changed = TypeVar("Changed", TrainingSettings, Phase)


@dataclass(frozen=True, slots=True)
class Budget:
    """Steps of the whole run and longest side of the network's square, for every row alike."""

    steps: int
    size: int


@dataclass(frozen=True, slots=True)
class Variant:
    """One row: overrides of [training] and of every phase; no `models` means all."""

    name: str
    why: str = ""
    set: dict[str, object] = field(default_factory=dict)
    phases: dict[str, object] = field(default_factory=dict)
    models: tuple[str, ...] = ()


def load_plan(path: Path, model: str) -> tuple[Budget, list[Variant]]:
    """The budget and the rows of one model. Raises Misconfigured in one line."""
    table = tomllib.loads(path.read_text(encoding="utf-8"))
    try:
        rows = [Variant(**{**row, "models": tuple(row.get("models", ()))}) for row in table["rows"]]
        budget = Budget(**table["budget"][model])
    except (KeyError, TypeError) as error:
        raise Misconfigured(f"{path.name}: {error}") from error
    return budget, [row for row in rows if not row.models or model in row.models]


def vary(settings: TrainingSettings, variant: Variant, budget: Budget) -> TrainingSettings:
    """The settings of one row. Raises Misconfigured for a name no setting has, or a value of another kind."""
    where = f"row '{variant.name}'"
    changed = _change(settings, variant.set, where=where)
    phases = tuple(_change(phase, variant.phases, where=f"{where}, phases") for phase in changed.phases)
    return reduce(replace(changed, phases=phases), budget)


def _change(record: Changed, overrides: Mapping[str, object], *, where: str) -> Changed:
    known = {one.name for one in fields(record)}
    unknown = sorted(set(overrides) - known)
    if unknown:
        raise Misconfigured(
            f"{where}: no setting is called {', '.join(unknown)}; known: {', '.join(sorted(known))}"
        )
    values: dict[str, Any] = {}
    for name, value in overrides.items():
        old = getattr(record, name)
        is_number = type(old) is float and type(value) is int
        if type(value) is not type(old) and not is_number:
            raise Misconfigured(f"{where}: {name} is {value!r}, the settings hold {old!r}")
        values[name] = float(str(value)) if is_number else value
    return replace(record, **values)


def reduce(settings: TrainingSettings, budget: Budget) -> TrainingSettings:
    """Fewer steps and smaller squares, phases in their old proportions; never more than before."""
    share = min(1.0, budget.steps / sum(phase.steps for phase in settings.phases))
    scale = min(1.0, budget.size / settings.size)
    phases = tuple(
        replace(phase, steps=max(1, round(phase.steps * share)), size=_scaled(phase.size, scale))
        for phase in settings.phases
    )
    return replace(settings, phases=phases, size=_scaled(settings.size, scale))


def _scaled(size: int, scale: float) -> int:
    return max(SIZE_STEP * 2, round(size * scale / SIZE_STEP) * SIZE_STEP)


def digest_of(settings: TrainingSettings) -> str:
    """The same for the same settings: a row that was run with them need not be run again."""
    return hashlib.sha256(json.dumps(asdict(settings), sort_keys=True).encode()).hexdigest()
