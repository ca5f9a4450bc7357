"""JSON logs: events with fields, never text.

A log line must be safe to hand to anyone who runs the platform, so nothing that was
made at run time is written unless its shape says that it is a name, a code, a number
or an identifier of ours:

- the message only when it stands as a literal in the file that logged it, without its
  arguments: an f-string, an exception or a caller's words never do;
- named fields from ``extra`` that are on the list below and have its shape;
- an exception as its type and where it happened, without the message, which may quote
  what a participant wrote.
"""

from __future__ import annotations

import ast
import json
import logging
import re
import sys
import threading
import traceback
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from types import TracebackType
from uuid import UUID

from apps.core.context import current_request_id

WITHHELD = "[withheld]"
FRAMES_KEPT = 12
# gunicorn logs through a file of its own: the message stands in another of its package.
GUNICORN_RELAY = "glogging.py"

# Digits enough for a telephone, card, health or insurance number, however separated.
_LONG_NUMBER = re.compile(r"(?:\d[\s.()/:_-]*){9,}")
_OUR_ID = re.compile(
    r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
    r"|(?:sha256:)?[0-9a-f]{32}|(?:sha256:)?[0-9a-f]{64}"
)
_CODE = re.compile(r"[A-Za-z][A-Za-z0-9_.:-]{0,79}")
_ID = re.compile(r"\*|[A-Za-z0-9][A-Za-z0-9_.:-]{0,79}")
_ACTOR = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:-]{0,79}")
_VERSION = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:-]{0,79}( v\d{1,6})?")
_ROUTE = re.compile(r"[A-Za-z0-9_/<>:^$.?()\[\]\\+*-]{0,200}")
_METHOD = re.compile(r"[A-Z]{1,16}")
_NUMBER = None

# What may be written, and the shape that it must have; None for numbers alone.
SHAPES: dict[str, re.Pattern[str] | None] = {
    **dict.fromkeys(
        ("event", "code", "reason_code", "gate", "decision", "policy", "model", "task",
         "queue", "level", "channel", "chain", "subject"),
        _CODE,
    ),
    **dict.fromkeys(
        ("run", "escalation", "subject_id", "digest", "key_prefix", "step"), _ID
    ),
    **dict.fromkeys(("status", "duration_ms", "count", "sequence", "attempt"), _NUMBER),
    "actor": _ACTOR,
    "version": _VERSION,
    "route": _ROUTE,
    "method": _METHOD,
}  # fmt: skip


class JsonFormatter(logging.Formatter):
    """One JSON object a line; never raises, whatever a record holds."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, object] = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": _message(record),
            "request_id": _shaped(current_request_id(), _ID),
        }
        for name, shape in SHAPES.items():
            if name in record.__dict__:
                line[name] = _shaped(record.__dict__[name], shape)
        if record.exc_info and record.exc_info[0]:
            line["exception"] = record.exc_info[0].__name__
            line["frames"] = _frames(record.exc_info[2])
        return json.dumps(line)


def _message(record: logging.LogRecord) -> str:
    """The message if its author wrote it down; what was composed is withheld."""
    if not isinstance(record.msg, str):
        return WITHHELD
    path = record.pathname
    is_relayed = Path(path).name == GUNICORN_RELAY
    known = _package_literals(path) if is_relayed else _literals(path)
    return record.msg if record.msg in known else WITHHELD


@lru_cache(maxsize=1024)
def _literals(path: str) -> frozenset[str]:
    """Every string that stands in a file of code; empty when it cannot be read."""
    try:
        tree = ast.parse(Path(path).read_bytes())
    except (OSError, SyntaxError, ValueError):
        return frozenset()
    # The pieces of an f-string are literals of the file too, and say nothing alone.
    return frozenset(
        node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    )


@lru_cache(maxsize=4)
def _package_literals(path: str) -> frozenset[str]:
    """Every string that stands in the package of a file."""
    found = Path(path).parent.rglob("*.py")
    return frozenset().union(*(_literals(str(each)) for each in found))


def _shaped(value: object, shape: re.Pattern[str] | None) -> object:
    """The value, if it is a number or has its field's shape."""
    if isinstance(value, bool | float) or value is None:
        return value
    if isinstance(value, int):
        return value if abs(value) < 10**8 or shape is None else WITHHELD
    if isinstance(value, UUID):
        return str(value)
    if shape is None or not isinstance(value, str):
        return WITHHELD
    # str(): a subclass may say something else about itself.
    text = str.__str__(value)
    return text if _is_named(text, shape) else WITHHELD


def _is_named(text: str, shape: re.Pattern[str]) -> bool:
    if not text or _OUR_ID.fullmatch(text):
        return True
    return bool(shape.fullmatch(text)) and not _LONG_NUMBER.search(text)


def _frames(trace: TracebackType | None) -> list[str]:
    frames = traceback.extract_tb(trace)[-FRAMES_KEPT:]
    return [f"{frame.filename}:{frame.lineno}:{frame.name}" for frame in frames]


def json_formatter() -> JsonFormatter:
    """The factory that ``LOGGING`` names."""
    return JsonFormatter()


def close_side_doors() -> None:
    """Let what Python prints by itself go through the formatter as well.

    An exception that nobody caught would be printed with its message, and a handler
    that fails prints the arguments of its record. Called by the processes that serve.
    """
    logging.raiseExceptions = False
    sys.excepthook = _log_uncaught
    threading.excepthook = _log_uncaught_in_thread


def _log_uncaught(
    kind: type[BaseException], error: BaseException, trace: TracebackType | None
) -> None:
    if issubclass(kind, KeyboardInterrupt):
        return
    logging.getLogger(__name__).critical("uncaught", exc_info=(kind, error, trace))


def _log_uncaught_in_thread(found: threading.ExceptHookArgs) -> None:
    if found.exc_value is not None:
        _log_uncaught(found.exc_type, found.exc_value, found.exc_traceback)
