"""What settings are made of: frozen sections, and the kinds of value that are checked as they are read."""

from __future__ import annotations

import base64
import binascii
from typing import Annotated, Final

from pydantic import AfterValidator, BaseModel, ConfigDict, Field


class Section(BaseModel):
    """A part of the settings: fixed once read, and no name that is not known."""

    model_config = ConfigDict(frozen=True, extra="forbid")


def check_ae_title(value: str) -> str:
    """PS3.5 table 6.2-1: at most 16 characters, no backslash or control character, not blank."""
    if (
        not value.strip()
        or len(value) > 16
        or "\\" in value
        or not value.isprintable()
        or not value.isascii()
    ):
        raise ValueError("an AE title has 1 to 16 printable ASCII characters and no backslash")
    return value.strip()


AeTitle = Annotated[str, AfterValidator(check_ae_title)]
Port = Annotated[int, Field(ge=1, le=65535)]


def check_public_key(value: str) -> str:
    """An Ed25519 public key: 32 raw bytes in base64 (RFC 8032 5.1.5)."""
    try:
        raw = base64.b64decode(value, validate=True)
    except binascii.Error as error:
        raise ValueError("not base64") from error
    if len(raw) != 32:
        raise ValueError("an Ed25519 public key has 32 bytes: see `wetread models keygen`")
    return value


PublicKey = Annotated[str, AfterValidator(check_public_key)]
# What the bundles in this repository are signed with.
PROJECT_KEY: Final = "jcIZepGMCL77We5FcVeX4ymlzesPJ6qNMFXNfxWAwBo="
