"""The last step of making a bundle: every file in [files] with its digest, and the maker's signature."""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from wetread.errors import Misconfigured
from wetread.infer.bundle import MANIFEST_NAME, Bundle, digest_of, list_files, load_bundle
from wetread.infer.signature import ANYONE, SIGNATURE_NAME, Trust, to_public, write_signature

_FILES_TABLE = re.compile(r"^\[files\][^\n]*\n(?:(?![ \t]*\[)[^\n]*\n)*", re.MULTILINE)


def seal(folder: Path) -> Bundle:
    """Write [files] of a bundle's model.toml anew; the rest stays as it was written. An old signature goes.

    `folder` is <name>/<version>. Raises Misconfigured when the service would not load what comes of it.
    """
    path = folder / MANIFEST_NAME
    # A JSON string is a TOML basic string.
    lines = [f'{json.dumps(name)} = "{digest_of(file)}"\n' for name, file in list_files(folder).items()]
    try:
        old = path.read_text(encoding="utf-8")
        kept = _FILES_TABLE.sub("", f"{old}\n").rstrip("\n")
        new = "".join((kept, "\n\n[files]\n", *lines))
        is_same = _without_files(old) == _without_files(new)
    except OSError as error:
        raise Misconfigured(f"{path}: {error.strerror}") from error
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise Misconfigured(f"{path}: {error}") from error
    if not is_same:
        raise Misconfigured(f"{path}: [files] cannot be told from the rest: leave it out")
    (folder / SIGNATURE_NAME).unlink(missing_ok=True)
    _replace(path, new)
    return load_bundle(folder, ANYONE)


def sign(folder: Path, key: Ed25519PrivateKey) -> Bundle:
    """Seal a bundle and write model.sig with a private key; then load it as who trusts that key would."""
    seal(folder)
    write_signature(folder, (folder / MANIFEST_NAME).read_bytes(), key)
    return load_bundle(folder, Trust((to_public(key),)))


def _without_files(text: str) -> dict[str, object]:
    return {key: value for key, value in tomllib.loads(text).items() if key != "files"}


def _replace(path: Path, text: str) -> None:
    fresh = path.with_name(f".{path.name}.new")
    fresh.write_text(text, encoding="utf-8", newline="\n")
    fresh.replace(path)
