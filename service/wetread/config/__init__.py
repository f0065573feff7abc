"""Settings: what an administrator may set, read once in a door's main and passed on."""

from __future__ import annotations

from wetread.config.destinations import DestinationSettings, TlsSettings
from wetread.config.sections import (
    DicomSettings,
    HttpSettings,
    ModelSettings,
    WorkerSettings,
)
from wetread.config.settings import Settings, find_config, load_settings
from wetread.config.values import PROJECT_KEY, check_ae_title

__all__ = [
    "PROJECT_KEY",
    "DestinationSettings",
    "DicomSettings",
    "HttpSettings",
    "ModelSettings",
    "Settings",
    "TlsSettings",
    "WorkerSettings",
    "check_ae_title",
    "find_config",
    "load_settings",
]
