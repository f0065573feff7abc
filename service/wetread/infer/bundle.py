"""Model bundles: folders of data, checked by digest, never imported."""

from __future__ import annotations

import hashlib
import re
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from wetread.domain import Code, ModelId, OperatingPoints
from wetread.errors import Misconfigured

MANIFEST_NAME = "model.toml"
MODEL_NAME = "model.onnx"
CARD_NAME = "MODEL_CARD.md"

_VERSION = re.compile(r"\d+(\.\d+)*")

Text = Annotated[str, Field(min_length=1)]
Probability = Annotated[float, Field(ge=0, le=1)]
Digest = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class InputSpec(_Part):
    """The tensor a model takes: float32 (N, channels, rows, columns).

    Values are 0..1 with dense tissue bright, then (x - mean) / std. `letterbox` keeps the aspect,
    centred, zero padded before mean and std; `square` resizes plainly and loses the aspect.
    """

    name: Text
    rows: Annotated[int, Field(ge=16, le=4096)]
    columns: Annotated[int, Field(ge=16, le=4096)]
    channels: Literal[1, 3]
    fit: Literal["letterbox", "square"]
    mean: float
    std: Annotated[float, Field(gt=0)]


class OutputSpec(_Part):
    """Names of the ONNX outputs: logits (N, findings) and heat map (N, findings, h, w), 0..1."""

    kind: Literal["classification"]
    logits: Text
    activation: Literal["sigmoid"]
    heat_map: Text


class CodeSpec(_Part):
    """A coded concept (PS3.3 table 8.8-1)."""

    value: Text
    scheme: Text
    meaning: Text

    def to_code(self) -> Code:
        """The same as a noun of the domain."""
        return Code(self.value, self.scheme, self.meaning)


class OperatingPointsSpec(_Part):
    """Two thresholds on the calibrated probability."""

    sensitive: Probability
    specific: Probability

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.sensitive > self.specific:
            raise ValueError("sensitive must not exceed specific")
        return self

    def to_operating_points(self) -> OperatingPoints:
        """The same as a noun of the domain."""
        return OperatingPoints(self.sensitive, self.specific)


class Calibration(_Part):
    """Platt scaling: probability = sigmoid(a * logit + b)."""

    a: Annotated[float, Field(gt=0)]
    b: float


class BoxesSpec(_Part):
    """Boxes are the connected components of the heat map at or above `threshold`."""

    threshold: Annotated[float, Field(gt=0, le=1)]


class FindingSpec(_Part):
    """One finding of a model, in the order of its logits."""

    label: Text
    code: CodeSpec
    operating_points: OperatingPointsSpec
    calibration: Calibration
    boxes: BoxesSpec


class Reads(_Part):
    """What a model may read. Empty lists and absent limits mean any.

    Body parts and views are upper-case DICOM defined terms (PS3.16 annex L).
    """

    modalities: tuple[Text, ...]
    sop_classes: tuple[Text, ...]
    body_parts: tuple[Text, ...] = ()
    views: tuple[Text, ...] = ()
    least_age_years: Annotated[float, Field(ge=0)] | None = None
    least_rows: Annotated[int, Field(ge=1)] = 1
    least_columns: Annotated[int, Field(ge=1)] = 1


class Manifest(_Part):
    """A bundle's model.toml, schema version 1."""

    schema_version: Literal[1] = Field(alias="schema")
    name: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_-]*$")]
    version: Annotated[str, Field(pattern=rf"^{_VERSION.pattern}$")]
    title: Text
    intended_use: Text
    licence: Text
    device_uid: Annotated[str, Field(pattern=r"^[0-2](\.(0|[1-9]\d*))+$", max_length=64)]
    input: InputSpec
    output: OutputSpec
    findings: Annotated[tuple[FindingSpec, ...], Field(min_length=1)]
    reads: Reads
    files: dict[str, Digest]


@dataclass(frozen=True, slots=True)
class Bundle:
    """A model as a folder whose files have been checked; `id.digest` is that of model.onnx."""

    manifest: Manifest
    folder: Path
    id: ModelId

    @property
    def model_path(self) -> Path:
        """The ONNX file."""
        return self.folder / MODEL_NAME

    @property
    def card_path(self) -> Path:
        """The model card: Markdown, UTF-8."""
        return self.folder / CARD_NAME


def load_bundles(path: Path) -> tuple[Bundle, ...]:
    """Load the highest version of every model under `path`, sorted by name.

    Layout <name>/<version>/model.toml; folders without a model.toml are passed over. Versions
    compare by number: 1.10.0 is above 1.9.0. Raises Misconfigured, in one line, when there is no
    bundle, a manifest is wrong, or a file's digest is not the manifest's.
    """
    if not path.is_dir():
        raise Misconfigured(f"models.path: no such folder: {path}")
    folders = [manifest.parent for manifest in path.glob(f"*/*/{MANIFEST_NAME}")]
    if not folders:
        raise Misconfigured(f"models.path: no <name>/<version>/{MANIFEST_NAME} under {path}")
    names = sorted({folder.parent for folder in folders})
    return tuple(load_bundle(_highest(f for f in folders if f.parent == name)) for name in names)


def load_bundle(folder: Path) -> Bundle:
    """Load one <name>/<version> folder. Raises Misconfigured as `load_bundles` does."""
    manifest = _read_manifest(folder / MANIFEST_NAME)
    if (manifest.name, manifest.version) != (folder.parent.name, folder.name):
        raise Misconfigured(f"{folder}: the manifest says {manifest.name} {manifest.version}")
    _check_files(folder, manifest.files)
    return Bundle(manifest, folder, ModelId(manifest.name, manifest.version, manifest.files[MODEL_NAME]))


def _highest(folders: Iterable[Path]) -> Path:
    return max(folders, key=_version_of)


def _version_of(folder: Path) -> tuple[int, ...]:
    if not _VERSION.fullmatch(folder.name):
        raise Misconfigured(f"{folder}: {folder.name!r} is not a version such as 1.2.0")
    return tuple(int(part) for part in folder.name.split("."))


def _read_manifest(path: Path) -> Manifest:
    try:
        return Manifest.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        raise Misconfigured(f"{path}: {place}: {first['msg']}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, OSError) as error:
        raise Misconfigured(f"{path}: {error}") from error


def _check_files(folder: Path, digests: dict[str, str]) -> None:
    """Every listed file is there and as listed; nothing else is."""
    for name in (MODEL_NAME, CARD_NAME):
        if name not in digests:
            raise Misconfigured(f"{folder}: [files] does not list {name}")
    present = {f.relative_to(folder).as_posix() for f in folder.rglob("*") if f.is_file()} - {MANIFEST_NAME}
    if unlisted := sorted(present - digests.keys()):
        raise Misconfigured(f"{folder}: [files] does not list {unlisted[0]}")
    for name, expected in digests.items():
        relative = PurePosixPath(name)
        if relative.is_absolute() or ".." in relative.parts or name not in present:
            raise Misconfigured(f"{folder}: {name} is listed in [files] and not there")
        with (folder / name).open("rb") as file:
            actual = hashlib.file_digest(file, "sha256").hexdigest()
        if actual != expected:
            raise Misconfigured(f"{folder}: {name} is not the file that [files] describes")
