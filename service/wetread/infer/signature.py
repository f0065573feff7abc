"""Who vouches for a bundle: an Ed25519 signature over the bytes of its model.toml."""

from __future__ import annotations

import base64
import binascii
import hashlib
import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from wetread.config import PROJECT_KEY
from wetread.errors import Misconfigured

SIGNATURE_NAME: Final = "model.sig"

_LINE = re.compile(r"ed25519 ([0-9a-f]{16}) ([A-Za-z0-9+/]{86}==)\s*")
HELP: Final = "get the bundle again from its maker, or sign it yourself: `wetread models sign`"


@dataclass(frozen=True, slots=True)
class Trust:
    """Whose bundles are loaded: `keys` are raw public keys in base64.

    `allow_unsigned` lets in a bundle without a signature, never one whose signature is wrong.
    """

    keys: tuple[str, ...] = (PROJECT_KEY,)
    allow_unsigned: bool = False


PROJECT: Final = Trust()
# For a bundle in the making, on the machine of who makes it.
ANYONE: Final = Trust((), allow_unsigned=True)


def key_id(public_key: str) -> str:
    """A public key's short name: the first 16 hexadecimal digits of its SHA-256."""
    return hashlib.sha256(base64.b64decode(public_key)).hexdigest()[:16]


def check_signature(folder: Path, manifest: bytes, trust: Trust) -> str:
    """The id of the trusted key that signed these bytes of model.toml; '' when unsigned, and that is allowed.

    Raises Misconfigured, in one line that says what to do, when the signature is missing, garbled, of a key
    that is not trusted, or of other bytes.
    """
    try:
        text = (folder / SIGNATURE_NAME).read_text(encoding="ascii")
    except FileNotFoundError as error:
        if trust.allow_unsigned:
            return ""
        raise Misconfigured(
            f"{folder}: not signed: there is no {SIGNATURE_NAME}; {HELP}, or set models.allow_unsigned = true"
        ) from error
    except (OSError, UnicodeDecodeError) as error:
        raise Misconfigured(f"{folder}: {SIGNATURE_NAME} cannot be read; {HELP}") from error
    return _check(folder, manifest, text, trust)


def _check(folder: Path, manifest: bytes, text: str, trust: Trust) -> str:
    line = _LINE.fullmatch(text)
    if line is None:
        raise Misconfigured(f"{folder}: {SIGNATURE_NAME} is garbled; {HELP}")
    signer, signature = line.groups()
    key = next((key for key in trust.keys if key_id(key) == signer), None)
    if key is None:
        raise Misconfigured(
            f"{folder}: signed with key {signer}, which is not trusted here;"
            " if you trust its maker, add their public key to models.trusted_keys"
        )
    try:
        Ed25519PublicKey.from_public_bytes(base64.b64decode(key)).verify(
            base64.b64decode(signature), manifest
        )
    except (InvalidSignature, binascii.Error) as error:
        raise Misconfigured(
            f"{folder}: model.toml is not what was signed with key {signer}; {HELP}"
        ) from error
    return signer


def write_signature(folder: Path, manifest: bytes, key: Ed25519PrivateKey) -> str:
    """Write model.sig for these bytes of model.toml; the id of the key."""
    signer = key_id(to_public(key))
    signature = base64.b64encode(key.sign(manifest)).decode("ascii")
    (folder / SIGNATURE_NAME).write_text(f"ed25519 {signer} {signature}\n", encoding="ascii")
    return signer


def make_key(path: Path) -> Ed25519PrivateKey:
    """A new private key, written as PEM for its owner alone. Raises Misconfigured when it cannot be."""
    key = Ed25519PrivateKey.generate()
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError as error:
        raise Misconfigured(f"{path}: {error.strerror}") from error
    with os.fdopen(descriptor, "wb") as file:
        file.write(pem)
    return key


def read_key(path: Path) -> Ed25519PrivateKey:
    """The private key in a PEM file. Raises Misconfigured when there is none."""
    try:
        key = load_pem_private_key(path.read_bytes(), password=None)
    except OSError as error:
        raise Misconfigured(f"{path}: {error.strerror}") from error
    except (ValueError, TypeError) as error:
        raise Misconfigured(f"{path}: not a private key in PEM without a password") from error
    if not isinstance(key, Ed25519PrivateKey):
        raise Misconfigured(f"{path}: not an Ed25519 key: make one with `wetread models keygen`")
    return key


def to_public(key: Ed25519PrivateKey) -> str:
    """The public half, raw, in base64: what goes into models.trusted_keys."""
    return base64.b64encode(key.public_key().public_bytes_raw()).decode("ascii")
