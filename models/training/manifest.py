"""Writes model.toml: the contract between a bundle and the service."""

from __future__ import annotations

import hashlib
import json
import tomllib
import uuid
from dataclasses import dataclass
from pathlib import Path

import tomli_w

from training.calibrate import Choice
from training.settings import TrainingSettings
from wetread.infer.bundle import MANIFEST_NAME
from wetread.infer.manifest import InputSpec
from wetread.infer.seal import seal


@dataclass(frozen=True, slots=True)
class BundleFacts:
    """The `[bundle]` table of a settings file: what a person decides about a bundle, not training."""

    version: str
    title: str
    intended_use: str
    licence: str
    label: str
    code: dict[str, str]
    sensitivity: float
    specificity: float
    reads: dict[str, object]
    prevalence: float | None = None


def load_facts(path: Path) -> BundleFacts:
    """Read the `[bundle]` table of a settings file."""
    return BundleFacts(**tomllib.loads(path.read_text(encoding="utf-8"))["bundle"])


def write_manifest(
    bundle: Path, facts: BundleFacts, settings: TrainingSettings, *, choice: Choice, box_threshold: float
) -> None:
    """Write model.toml, list every file in it, and check it as the service will."""
    digest = hashlib.sha256((bundle / "model.onnx").read_bytes()).digest()
    table: dict[str, object] = {
        "schema": 2,
        "name": settings.name,
        "version": facts.version,
        "title": facts.title,
        "intended_use": facts.intended_use,
        "licence": facts.licence,
        # From the weights (PS3.5 B.2): a retraining gets another Device UID without anyone's care.
        "device_uid": f"2.25.{uuid.UUID(bytes=digest[:16], version=4).int}",
        "input": _input_table(settings),
        "output": {
            "kind": "detection",
            "boxes": "boxes",
            "scores": "scores",
            "logits": "logits",
            "heat_map": "heat_map",
        },
        "findings": [
            {
                "label": facts.label,
                "code": facts.code,
                "operating_points": {"sensitive": choice.sensitive, "specific": choice.specific},
                "calibration": {"a": round(choice.a, 6), "b": round(choice.b, 6)},
                "boxes": {"threshold": box_threshold},
            }
        ],
        "reads": facts.reads,
    }
    (bundle / MANIFEST_NAME).write_text(tomli_w.dumps(table), encoding="utf-8")
    seal(bundle)


def input_spec(settings: TrainingSettings) -> InputSpec:
    """The network's input as the manifest states it."""
    return InputSpec.model_validate(_input_table(settings))


def _input_table(settings: TrainingSettings) -> dict[str, object]:
    return {
        "name": "image",
        "rows": settings.size,
        "columns": settings.size,
        "channels": 1,
        "fit": settings.fit,
    }


def write_json(path: Path, value: object) -> None:
    """Write readable JSON with a final newline."""
    path.write_text(json.dumps(value, indent=1) + "\n", encoding="utf-8")
