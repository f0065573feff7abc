"""Settings: read once in a door's main, checked, frozen, passed on.

Order of strength: `WETREAD_<SECTION>__<KEY>` in the environment, then the file named by `WETREAD_CONFIG`
(default `wetread.toml` in `WETREAD_HOME`), then the defaults below.
"""

from __future__ import annotations

import base64
import binascii
import os
import tomllib
from pathlib import Path
from typing import Annotated, Final, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    SecretStr,
    ValidationError,
    model_validator,
)
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict
from pydantic_settings.sources import TomlConfigSettingsSource

from wetread.domain import Destination, Hours, ObjectKind, Profile, Tls
from wetread.errors import Misconfigured


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
# In the environment and not settings: where they are read from, and the tests' own.
_OTHER_NAMES = frozenset({"WETREAD_CONFIG", "WETREAD_TEST_DATA"})
Port = Annotated[int, Field(ge=1, le=65535)]
_HOURS: Final = r"^([01]\d|2[0-3]):[0-5]\d-([01]\d|2[0-3]):[0-5]\d$"


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


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class DicomSettings(_Section):
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


class HttpSettings(_Section):
    """The HTTP door. `max_upload_bytes` bounds one request."""

    host: str = "127.0.0.1"
    port: Port = 8080
    max_upload_bytes: int = Field(512 * 2**20, ge=2**20)


class QueueSettings(_Section):
    """`embedded`: the ledger itself with a wake-up. `redis://...`: Celery on Redis."""

    # Not in a repr: it may hold the broker's password.
    url: str = Field("embedded", pattern=r"^(embedded|rediss?://\S+)$", repr=False)


class LedgerSettings(_Section):
    """Empty: SQLite in `WETREAD_HOME`. Otherwise an SQLAlchemy URL (its password is a secret)."""

    url: SecretStr = SecretStr("")


class SpoolSettings(_Section):
    """Empty: a folder in `WETREAD_HOME`. `watermark_bytes`: refuse new images below this free space."""

    url: str = Field("", pattern=r"^(file://)?(/.*)?$")
    watermark_bytes: int = Field(512 * 2**20, ge=0)


class ModelSettings(_Section):
    """Where bundles are, and whose are trusted.

    `path` empty: the `models` folder shipped with the source. `trusted_keys`: public keys; a list of your
    own replaces the project's. `allow_unsigned` lets in bundles without a signature.
    """

    path: str = ""
    trusted_keys: tuple[PublicKey, ...] = (PROJECT_KEY,)
    allow_unsigned: bool = False


class StudySettings(_Section):
    """A study is quiet `quiet_s` seconds after its last image."""

    quiet_s: float = Field(3.0, ge=0, le=3600)


class WorkerSettings(_Section):
    """`processes` inference processes, each with `threads` ONNX Runtime threads."""

    processes: int = Field(1, ge=1, le=64)
    threads: int = Field(0, ge=0, le=256)
    max_attempts: int = Field(3, ge=1)
    lease_s: float = Field(60.0, gt=0)


class CaptureSettings(_Section):
    """Bounds of an overlay capture: its longest side in pixels, and its size uncompressed, in 10**6 bytes."""

    max_side: int = Field(2048, ge=256, le=8192)
    max_megabytes: float = Field(13.0, ge=0.5, le=200)


class TlsSettings(_Section):
    """TLS to a destination, PEM files. `ca` empty: the system's authorities. The others: our own identity."""

    ca: Path | None = None
    certificate: Path | None = None
    key: Path | None = None
    check_host: bool = True


class DestinationSettings(_Section):
    """A receiver of results: `dicom` (C-STORE to `host`, `port`, `ae_title`) or `dicomweb` (STOW-RS, `url`).

    `profile` says what it gets, or `objects` kind by kind; `report` in which SOP class the report goes.
    `commitment` waits for storage commitment (DICOM), or asks whether the object is there (DICOMweb).
    `authorization` is a whole header value. `hours`: local times such as `22:00-06:00`, empty for always.
    """

    name: str = Field(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9_.-]+$")
    kind: Literal["dicom", "dicomweb"] = "dicom"
    host: str = "127.0.0.1"
    port: Port | None = None
    ae_title: AeTitle | None = None
    calling_aet: AeTitle | None = None
    url: str = Field("", pattern=r"^(https?://\S+)?$")
    authorization: SecretStr = SecretStr("")
    tls: TlsSettings | None = None
    profile: Profile = Profile.REPORTS
    objects: tuple[ObjectKind, ...] = ()
    report: Literal["comprehensive-3d", "comprehensive"] = "comprehensive-3d"
    commitment: bool = False
    commitment_wait_s: float = Field(600.0, gt=0)
    per_minute: int = Field(0, ge=0)
    hours: tuple[Annotated[str, Field(pattern=_HOURS)], ...] = ()

    @model_validator(mode="after")
    def _check_address(self) -> DestinationSettings:
        if self.kind == "dicom" and (self.port is None or self.ae_title is None):
            raise ValueError(f"destination {self.name!r}: a DICOM destination needs port and ae_title")
        if self.kind == "dicomweb" and not self.url:
            raise ValueError(f"destination {self.name!r}: a DICOMweb destination needs url")
        if self.tls and (self.tls.certificate is None) != (self.tls.key is None):
            raise ValueError(f"destination {self.name!r}: tls.certificate and tls.key go together")
        return self

    def to_domain(self) -> Destination:
        """The same as the noun the rooms share."""
        return Destination(
            name=self.name,
            kind=self.kind,
            host=self.host,
            port=self.port or 0,
            ae_title=self.ae_title or "",
            objects=self._kinds(),
            calling_aet=self.calling_aet or "",
            url=self.url.rstrip("/"),
            authorization=self.authorization.get_secret_value(),
            tls=Tls(self.tls.ca, self.tls.certificate, self.tls.key, self.tls.check_host)
            if self.tls
            else None,
            commits=self.commitment,
            commit_wait_s=self.commitment_wait_s,
            per_minute=self.per_minute,
            hours=tuple(_to_hours(text) for text in self.hours),
        )

    def _kinds(self) -> tuple[ObjectKind, ...]:
        kinds = self.objects or self.profile.kinds
        if self.report == "comprehensive-3d":
            return kinds
        form = {ObjectKind.STRUCTURED_REPORT: ObjectKind.COMPREHENSIVE_REPORT}
        return tuple(form.get(kind, kind) for kind in kinds)


def _to_hours(text: str) -> Hours:
    start, end = (60 * int(part[:2]) + int(part[3:]) for part in text.split("-"))
    return Hours(start, end)


class LogSettings(_Section):
    """`format` json for machines, text for people."""

    level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    format: Literal["json", "text"] = "text"


class Settings(BaseSettings):
    """Everything an administrator may set, in one frozen object."""

    model_config = SettingsConfigDict(
        env_prefix="WETREAD_", env_nested_delimiter="__", frozen=True, extra="forbid"
    )

    home: Path = Path(".wetread")
    dicom: DicomSettings = DicomSettings()
    http: HttpSettings = HttpSettings()
    queue: QueueSettings = QueueSettings()
    ledger: LedgerSettings = LedgerSettings()
    spool: SpoolSettings = SpoolSettings()
    models: ModelSettings = ModelSettings()
    study: StudySettings = StudySettings()
    worker: WorkerSettings = WorkerSettings()
    capture: CaptureSettings = CaptureSettings()
    log: LogSettings = LogSettings()
    destinations: tuple[DestinationSettings, ...] = ()

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Environment over file over defaults; no dotenv, no secrets folder."""
        return init_settings, env_settings, TomlConfigSettingsSource(settings_cls, toml_file=_config_file())

    @property
    def ledger_url(self) -> str:
        """SQLAlchemy URL of the ledger."""
        return self.ledger.url.get_secret_value() or f"sqlite:///{self.home.resolve() / 'ledger.db'}"

    @property
    def spool_folder(self) -> Path:
        """Where objects are kept."""
        return Path(self.spool.url.removeprefix("file://")) if self.spool.url else self.home / "spool"

    @property
    def models_folder(self) -> Path:
        """Where bundles are found."""
        return Path(self.models.path) if self.models.path else Path(__file__).parents[2] / "models"


def _config_file() -> Path:
    home = Path(os.environ.get("WETREAD_HOME", ".wetread"))
    return Path(os.environ.get("WETREAD_CONFIG", home / "wetread.toml"))


def find_config() -> Path | None:
    """The file that settings are read from; None when there is none."""
    path = _config_file()
    return path if path.is_file() else None


def load_settings(**overrides: object) -> Settings:
    """Read file and environment. Raises Misconfigured with one line that names the setting."""
    if "WETREAD_CONFIG" in os.environ and not _config_file().is_file():
        raise Misconfigured(f"WETREAD_CONFIG: no such file: {_config_file()}")
    _check_environment()
    try:
        settings = Settings(**overrides)  # type: ignore[arg-type]  # checked by pydantic itself
    except ValidationError as error:
        raise Misconfigured(_first_problem(error)) from error
    except OSError as error:
        raise Misconfigured(f"{_config_file()}: {error.strerror}") from error
    except tomllib.TOMLDecodeError as error:
        raise Misconfigured(f"{_config_file()}: not valid TOML: {error}") from error
    except ValueError as error:
        raise Misconfigured(f"settings: {error}") from error
    _check_destinations(settings)
    return settings


def _first_problem(error: ValidationError) -> str:
    # The rejected value is left out: it may be a secret.
    first = error.errors(include_url=False, include_input=False)[0]
    name = ".".join(str(part) for part in first["loc"])
    if first["type"] == "extra_forbidden":
        return f"unknown setting {name}"
    return f"setting {name}: {first['msg'].removeprefix('Value error, ')}"


def _check_environment() -> None:
    # pydantic passes over a name that it does not know: a slip of the pen would stay unseen.
    for name in os.environ:
        section = name.removeprefix("WETREAD_").split("__")[0].lower()
        if not name.startswith("WETREAD_") or name in _OTHER_NAMES or section in Settings.model_fields:
            continue
        kind = "section" if "__" in name else "setting"
        raise Misconfigured(f"{name}: there is no {kind} {section!r}")


def _check_destinations(settings: Settings) -> None:
    names = [destination.name for destination in settings.destinations]
    doubled = {name for name in names if names.count(name) > 1}
    if doubled:
        raise Misconfigured(f"setting destinations: two are named {sorted(doubled)[0]!r}")
    callers = settings.dicom.allowed_callers
    for item in settings.destinations:
        # Its report comes as a call of its own: the listener would turn it away, and all would wait in vain.
        if item.kind == "dicom" and item.commitment and callers and item.ae_title not in callers:
            raise Misconfigured(
                f"setting dicom.allowed_callers: destination {item.name!r} reports storage commitment "
                f"as {item.ae_title}, which is not among them"
            )
