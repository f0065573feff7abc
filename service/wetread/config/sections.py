"""The settings of each part of the service but the destinations, with their defaults."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, SecretStr

from wetread.config.values import PROJECT_KEY, AeTitle, Port, PublicKey, Section


class DicomSettings(Section):
    """The DICOM listener. `allowed_callers` empty: any calling AE title (the address is loopback)."""

    ae_title: AeTitle = "WETREAD"
    host: str = "127.0.0.1"
    port: Port = 11112
    allowed_callers: tuple[AeTitle, ...] = ()
    check_called_aet: bool = True
    max_associations: int = Field(32, ge=1, le=1000)
    max_object_bytes: int = Field(512 * 2**20, ge=2**20)
    network_timeout_s: float = Field(30.0, gt=0)
    urgent_callers: tuple[AeTitle, ...] = ()


class HttpSettings(Section):
    """The HTTP door. `max_upload_bytes` bounds one request."""

    host: str = "127.0.0.1"
    port: Port = 8080
    max_upload_bytes: int = Field(512 * 2**20, ge=2**20)


class QueueSettings(Section):
    """`embedded`: the ledger itself with a wake-up. `redis://...`: Celery on Redis."""

    # Not in a repr: it may hold the broker's password.
    url: str = Field("embedded", pattern=r"^(embedded|rediss?://\S+)$", repr=False)


class LedgerSettings(Section):
    """Empty: SQLite in `WETREAD_HOME`. Otherwise an SQLAlchemy URL (its password is a secret)."""

    url: SecretStr = SecretStr("")


class SpoolSettings(Section):
    """Empty: a folder in `WETREAD_HOME`. `watermark_bytes`: refuse new images below this free space."""

    url: str = Field("", pattern=r"^(file://)?(/.*)?$")
    watermark_bytes: int = Field(512 * 2**20, ge=0)


class ModelSettings(Section):
    """Where bundles are, and whose are trusted.

    `path` empty: the `models` folder shipped with the source. `trusted_keys`: public keys; a list of your
    own replaces the project's. `allow_unsigned` lets in bundles without a signature.
    """

    path: str = ""
    trusted_keys: tuple[PublicKey, ...] = (PROJECT_KEY,)
    allow_unsigned: bool = False


class StudySettings(Section):
    """A study is quiet `quiet_s` seconds after its last image."""

    quiet_s: float = Field(3.0, ge=0, le=3600)


class WorkerSettings(Section):
    """`processes` inference processes, each with `threads` ONNX Runtime threads."""

    processes: int = Field(1, ge=1, le=64)
    threads: int = Field(0, ge=0, le=256)
    max_attempts: int = Field(3, ge=1)
    lease_s: float = Field(60.0, gt=0)


class CaptureSettings(Section):
    """Bounds of an overlay capture: its longest side in pixels, and its size uncompressed, in 10**6 bytes."""

    max_side: int = Field(2048, ge=256, le=8192)
    max_megabytes: float = Field(13.0, ge=0.5, le=200)


class LogSettings(Section):
    """`format` json for machines, text for people."""

    level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    format: Literal["json", "text"] = "text"
