"""Model bundles: folders of data, checked by signature and digest, never imported."""

from __future__ import annotations

import hashlib
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from pydantic import ValidationError

from wetread.domain import ModelId
from wetread.errors import Misconfigured
from wetread.infer.manifest import VERSION, Manifest
from wetread.infer.signature import HELP, PROJECT, SIGNATURE_NAME, Trust, check_signature

MANIFEST_NAME = "model.toml"
MODEL_NAME = "model.onnx"
CARD_NAME = "MODEL_CARD.md"


@dataclass(frozen=True, slots=True)
class Bundle:
    """A model as a folder whose files have been checked; `id.digest` is that of model.onnx.

    `signed_by` is the id of the trusted key that signed it, '' where it is not signed.
    """

    manifest: Manifest
    folder: Path
    id: ModelId
    signed_by: str = ""

    @property
    def model_path(self) -> Path:
        """The ONNX file."""
        return self.folder / MODEL_NAME

    @property
    def card_path(self) -> Path:
        """The model card: Markdown, UTF-8."""
        return self.folder / CARD_NAME


def load_bundles(path: Path, trust: Trust = PROJECT) -> tuple[Bundle, ...]:
    """Load the highest version of every model under `path`, sorted by name.

    Raises Misconfigured, in one line, when there is no bundle, one is not signed by whom `trust` names,
    a manifest is wrong, or a file's digest is not the manifest's.
    """
    return tuple(load_bundle(folder, trust) for folder in find_bundles(path))


def find_bundles(path: Path) -> tuple[Path, ...]:
    """The folder of the highest version of every model under `path`, sorted by name.

    Layout <name>/<version>/model.toml; folders without a model.toml are passed over. Versions
    compare by number: 1.10.0 is above 1.9.0. Raises Misconfigured when there is none.
    """
    if not path.is_dir():
        raise Misconfigured(f"models.path: no such folder: {path}")
    folders = [manifest.parent for manifest in path.glob(f"*/*/{MANIFEST_NAME}")]
    if not folders:
        raise Misconfigured(f"models.path: no <name>/<version>/{MANIFEST_NAME} under {path}")
    names = sorted({folder.parent for folder in folders})
    return tuple(_highest(f for f in folders if f.parent == name) for name in names)


def load_bundle(folder: Path, trust: Trust = PROJECT) -> Bundle:
    """Load one <name>/<version> folder. Raises Misconfigured as `load_bundles` does."""
    path = folder / MANIFEST_NAME
    try:
        # Read once: the bytes that were signed are the bytes that are parsed.
        data = path.read_bytes()
    except OSError as error:
        raise Misconfigured(f"{path}: {error.strerror}") from error
    signed_by = check_signature(folder, data, trust)
    manifest = _parse(path, data)
    if (manifest.name, manifest.version) != (folder.parent.name, folder.name):
        raise Misconfigured(f"{folder}: the manifest says {manifest.name} {manifest.version}")
    _check_files(folder, manifest.files)
    model = ModelId(manifest.name, manifest.version, manifest.files[MODEL_NAME])
    return Bundle(manifest, folder, model, signed_by)


def list_files(folder: Path) -> dict[str, Path]:
    """The files that [files] must list, by their name there: all but the manifest and its signature."""
    files = {path.relative_to(folder).as_posix(): path for path in folder.rglob("*") if path.is_file()}
    return {name: files[name] for name in sorted(files.keys() - {MANIFEST_NAME, SIGNATURE_NAME})}


def digest_of(path: Path) -> str:
    """A file's SHA-256, hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _highest(folders: Iterable[Path]) -> Path:
    return max(folders, key=_version_of)


def _version_of(folder: Path) -> tuple[int, ...]:
    if not VERSION.fullmatch(folder.name):
        raise Misconfigured(f"{folder}: {folder.name!r} is not a version such as 1.2.0")
    return tuple(int(part) for part in folder.name.split("."))


def _parse(path: Path, data: bytes) -> Manifest:
    try:
        return Manifest.model_validate(tomllib.loads(data.decode("utf-8")))
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        told = ": ".join(part for part in (place, first["msg"].removeprefix("Value error, ")) if part)
        raise Misconfigured(f"{path}: {told}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise Misconfigured(f"{path}: {error}") from error


def _check_files(folder: Path, digests: dict[str, str]) -> None:
    """Every listed file is there and as listed; nothing else is."""
    for name in (MODEL_NAME, CARD_NAME):
        if name not in digests:
            raise Misconfigured(f"{folder}: [files] does not list {name}; {HELP}")
    present = list_files(folder)
    if unlisted := sorted(present.keys() - digests.keys()):
        raise Misconfigured(f"{folder}: [files] does not list {unlisted[0]}; {HELP}")
    for name, expected in digests.items():
        relative = PurePosixPath(name)
        if relative.is_absolute() or ".." in relative.parts or name not in present:
            raise Misconfigured(f"{folder}: {name} is listed in [files] and not there; {HELP}")
        if digest_of(present[name]) != expected:
            raise Misconfigured(f"{folder}: {name} is not the file that [files] describes; {HELP}")
