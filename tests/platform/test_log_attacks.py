"""Identifiers in every place where a log line could take them from; none comes out."""

from __future__ import annotations

import json
import logging
import subprocess
import sys
import threading
import uuid

import gunicorn.glogging
import pytest
from django.db import DatabaseError, connection

from apps.core.context import request_context
from pe_platform import logs
from pe_platform.logs import SHAPES, WITHHELD, json_formatter

IDENTIFIERS = (
    "Jane Doe",
    "jane.doe@example.org",
    "020 7946 0958",
    "02079460958",
    "020-7946-0958",
    "943 476 5919",
    "QQ 12 34 56 C",
    "4111-1111-1111-1111",
    "GB29NWBK60161331926819",
    "1 Acacia Avenue, London",
    "I have not slept since Tuesday",
    "born 1984-03-02",
    "jane\ndoe",
    "ich heiße Jörg Müller",
    "我叫王小明",
)  # fmt: skip


class Speaks:
    """An object that says what it should not when somebody prints it."""

    def __init__(self, words: str) -> None:
        self.words = words

    def __str__(self) -> str:
        return self.words

    __repr__ = __str__


class Raises:
    def __str__(self) -> str:
        raise RuntimeError("cannot be printed")


class Text(str):
    """A string that says something else about itself."""

    __slots__ = ()

    def __str__(self) -> str:
        return "Jane Doe"


def record(message: object, *arguments: object, **fields: object) -> logging.LogRecord:
    made = logging.LogRecord("pe", logging.ERROR, __file__, 1, message, arguments, None)
    made.__dict__.update(fields)
    return made


def written(made: logging.LogRecord) -> str:
    line = json_formatter().format(made)
    json.loads(line)
    assert "\n" not in line
    return json.dumps(json.loads(line), ensure_ascii=False)


@pytest.mark.parametrize("words", IDENTIFIERS)
@pytest.mark.parametrize("field", [*SHAPES, "text", "sql", "params", "request"])
def test_no_field_takes_an_identifier(field, words):
    assert words not in written(record("event", **{field: words}))
    assert words not in written(record("event", **{field: Speaks(words)}))
    assert words not in written(record("event", **{field: [words, {"a": words}]}))


@pytest.mark.parametrize("words", IDENTIFIERS)
def test_no_message_takes_an_identifier(words):
    built = f"could not read {words}"

    for message in (built, ValueError(words), Speaks(words), words.encode()):
        assert words not in written(record(message))
        assert json.loads(written(record(message)))["message"] == WITHHELD
    assert words not in written(record("bad text %s", words))
    assert words not in written(record("%(a)s", {"a": words}))


@pytest.mark.parametrize("words", IDENTIFIERS)
def test_no_exception_or_its_cause_takes_an_identifier(words):
    try:
        try:
            raise ValueError(words)
        except ValueError as error:
            error.add_note(words)
            raise KeyError(words) from error
    except KeyError:
        made = record("failed")
        made.exc_info = sys.exc_info()
        made.stack_info = words

    line = written(made)

    assert words not in line
    assert json.loads(line)["exception"] == "KeyError"


@pytest.mark.parametrize("words", IDENTIFIERS)
def test_no_request_id_takes_an_identifier(words):
    with request_context(words):
        assert words not in written(record("event"))


@pytest.mark.django_db
@pytest.mark.parametrize("words", IDENTIFIERS)
def test_no_sql_parameter_or_statement_takes_an_identifier(words, settings):
    lines: list[str] = []
    handler = logging.StreamHandler()
    handler.emit = lambda made: lines.append(written(made))  # type: ignore[method-assign]
    logger = logging.getLogger("django.db.backends")
    logger.addHandler(handler)
    logger.setLevel(logging.DEBUG)
    connection.force_debug_cursor = True
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT %s", [words])
            with pytest.raises(DatabaseError):
                cursor.execute(f'SELECT nothing FROM "{words.replace("%", "")}"')
    finally:
        connection.force_debug_cursor = False
        logger.removeHandler(handler)
        logger.setLevel(logging.NOTSET)

    assert len(lines) == 2
    assert not any(words in line for line in lines)


def test_what_cannot_be_printed_is_no_failure():
    line = written(record(Raises(), Raises(), code=Raises(), subject_id=object()))

    assert json.loads(line)["code"] == WITHHELD


def test_a_string_that_lies_about_itself_is_taken_at_its_word():
    assert "Jane" not in written(record("event", code=Text("gate_failed")))


def test_what_is_ours_still_comes_through():
    found = json.loads(
        written(
            record(
                "event",
                code="gate_failed",
                subject_id=str(uuid.UUID(int=7)),
                digest="sha256:" + "0" * 64,
                version="support-replies v12",
                route="api/v1/models/<slug:name>/predict",
                actor="key:jyfi3br2",
                status=503,
                duration_ms=12.5,
                run=uuid.UUID(int=8),
                step=140,
            )
        )
    )

    assert WITHHELD not in json.dumps(found)
    assert found["run"] == str(uuid.UUID(int=8))


def test_gunicorn_speaks_in_its_own_words_alone():
    path = gunicorn.glogging.__file__

    def said(message: str) -> str:
        made = logging.LogRecord("gunicorn.error", 20, path, 1, message, (), None)
        return json.loads(written(made))["message"]

    assert said("Handling signal: %s") == "Handling signal: %s"
    assert said("Handling signal: Jane Doe") == WITHHELD


def test_an_exception_that_nobody_caught_is_printed_without_its_words():
    script = (
        "import logging, threading, sys\n"
        "from pe_platform.logs import JsonFormatter, close_side_doors\n"
        "handler = logging.StreamHandler(); handler.setFormatter(JsonFormatter())\n"
        "logging.getLogger().addHandler(handler)\n"
        "close_side_doors()\n"
        "def fail(): raise ValueError('Jane Doe')\n"
        "thread = threading.Thread(target=fail); thread.start(); thread.join()\n"
        "fail()\n"
    )

    done = subprocess.run(
        (sys.executable, "-c", script), capture_output=True, text=True, check=False
    )

    assert done.returncode == 1
    assert "Jane" not in done.stdout + done.stderr
    lines = [json.loads(line) for line in done.stderr.splitlines()]
    assert [line["exception"] for line in lines] == ["ValueError", "ValueError"]


def test_side_doors_are_closed_in_this_process_and_opened_again(monkeypatch):
    for owner, name in (
        (logging, "raiseExceptions"), (sys, "excepthook"), (threading, "excepthook"),
    ):  # fmt: skip
        monkeypatch.setattr(owner, name, getattr(owner, name))

    logs.close_side_doors()

    assert logging.raiseExceptions is False
    assert sys.excepthook is logs._log_uncaught
