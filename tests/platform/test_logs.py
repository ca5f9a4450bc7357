"""Log lines hold templates and listed fields, never what somebody wrote."""

from __future__ import annotations

import json
import logging
import sys

from apps.core.context import request_context
from pe_platform.logs import json_formatter

WORDS = "I have not slept since Tuesday"


def line(**fields: object) -> dict[str, object]:
    record = logging.LogRecord("pe", logging.INFO, __file__, 1, "event", (), None)
    for name, value in fields.items():
        setattr(record, name, value)
    return json.loads(json_formatter().format(record))


def test_arguments_never_reach_the_line():
    record = logging.LogRecord(
        "pe", logging.ERROR, __file__, 1, "bad text %s", (WORDS,), None
    )

    written = json_formatter().format(record)

    assert WORDS not in written
    assert json.loads(written)["message"] == "bad text %s"


def test_only_listed_fields_are_written():
    written = line(gate="crisis", text=WORDS)

    assert written["gate"] == "crisis"
    assert "text" not in written
    assert WORDS not in json.dumps(written)


def test_an_exception_is_its_type_and_place_without_its_message():
    try:
        raise ValueError(WORDS)
    except ValueError:
        record = logging.LogRecord(
            "pe", logging.ERROR, __file__, 1, "failed", (), sys.exc_info()
        )

    written = json_formatter().format(record)

    assert WORDS not in written
    assert json.loads(written)["exception"] == "ValueError"
    assert "test_logs.py" in json.loads(written)["frames"][0]


def test_the_request_id_is_on_every_line():
    with request_context("req-12345678"):
        assert line()["request_id"] == "req-12345678"
