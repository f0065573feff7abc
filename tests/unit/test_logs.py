from __future__ import annotations

import json
import logging

import pytest

from wetread.logs import JsonFormatter, TextFormatter


def record(**fields: object) -> logging.LogRecord:
    made = logging.makeLogRecord({"name": "wetread.test", "levelname": "INFO", "msg": "instance received"})
    vars(made).update(fields)
    return made


def test_a_json_line_holds_the_event_and_its_fields() -> None:
    line = json.loads(JsonFormatter().format(record(instance="1.2.3", ms=4.5)))

    assert (line["message"], line["logger"], line["instance"], line["ms"]) == (
        "instance received",
        "wetread.test",
        "1.2.3",
        4.5,
    )
    assert line["time"].endswith("+00:00")


@pytest.mark.parametrize("formatter", [JsonFormatter(), TextFormatter()])
def test_a_value_from_the_wire_cannot_forge_a_line(formatter: logging.Formatter) -> None:
    line = formatter.format(record(caller="EVIL\r\n12:00:00 INFO forged \x1b[2J"))

    assert "\n" not in line
    assert "\r" not in line
    assert "\x1b" not in line


def test_a_fault_is_told_with_its_trace() -> None:
    try:
        raise ZeroDivisionError("why")
    except ZeroDivisionError as error:
        made = record(exc_info=(type(error), error, error.__traceback__))

    assert "ZeroDivisionError: why" in TextFormatter().format(made)
    assert "ZeroDivisionError: why" in json.loads(JsonFormatter().format(made))["exception"]
