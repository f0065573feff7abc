"""Logs tell events, with ids as fields and never a patient."""

from __future__ import annotations

import json
import logging
import sys
import warnings
from datetime import UTC, datetime

_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}


class JsonFormatter(logging.Formatter):
    """One JSON object a line: time, level, logger, message and the `extra` fields."""

    def format(self, record: logging.LogRecord) -> str:
        """Source of the field names: the record's own, as `extra` put them there."""
        line: dict[str, object] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
        }
        line |= _fields(record)
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line, default=str)


class TextFormatter(logging.Formatter):
    """The same for a person at a terminal."""

    def format(self, record: logging.LogRecord) -> str:
        """`time level logger message key=value ...`"""
        fields = " ".join(f"{key}={_plain(value)}" for key, value in _fields(record).items())
        stamp = datetime.fromtimestamp(record.created).astimezone().strftime("%H:%M:%S")
        line = f"{stamp} {record.levelname:<7} {record.name:<28} {record.getMessage()} {fields}".rstrip()
        return f"{line}\n{self.formatException(record.exc_info)}" if record.exc_info else line


def _plain(value: object) -> str:
    # A value from the wire must not forge a line or steer a terminal.
    text = str(value)
    return text if text.isprintable() else ascii(text)


def _fields(record: logging.LogRecord) -> dict[str, object]:
    return {key: value for key, value in vars(record).items() if key not in _STANDARD}


def start_logging(*, level: str, style: str) -> None:
    """Set up the root logger on stderr. Called once, by a door's main."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonFormatter() if style == "json" else TextFormatter())
    logging.basicConfig(level=level, handlers=[handler], force=True)
    # These libraries print element values in warnings and at INFO: patient data.
    warnings.simplefilter("ignore")
    for name in ("pydicom", "pynetdicom", "highdicom"):
        logging.getLogger(name).setLevel(logging.CRITICAL)
    # These tell every task twice, and every step of a stop; the doors' own lines say more.
    for name in ("celery.worker.strategy", "celery.app.trace", "uvicorn.error"):
        logging.getLogger(name).setLevel(logging.WARNING)
