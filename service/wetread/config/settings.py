"""Settings: read once in a door's main, checked, frozen, passed on.

Order of strength: `WETREAD_<SECTION>__<KEY>` in the environment, then the file named by `WETREAD_CONFIG`
(default `wetread.toml` in `WETREAD_HOME`), then the defaults below.
"""

from __future__ import annotations

import os
import tomllib
from pathlib import Path

from pydantic import ValidationError
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict
from pydantic_settings.sources import TomlConfigSettingsSource

from wetread.config.destinations import DestinationSettings
from wetread.config.sections import (
    CaptureSettings,
    DicomSettings,
    HttpSettings,
    LedgerSettings,
    LogSettings,
    ModelSettings,
    QueueSettings,
    SpoolSettings,
    StudySettings,
    WorkerSettings,
)
from wetread.errors import Misconfigured

# In the environment and not settings: where they are read from, and the tests' own.
_OTHER_NAMES = frozenset({"WETREAD_CONFIG", "WETREAD_TEST_DATA"})


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
        return Path(self.models.path) if self.models.path else Path(__file__).parents[3] / "models"


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
