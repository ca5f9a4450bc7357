"""JSON logs: events with fields, never text.

A log line must be safe to hand to anyone who runs the platform. So the message is the
template as written in the code, without its arguments; named fields come from ``extra``
and must be on the list below; an exception is its type and where it happened, without
the message, which may quote what a participant wrote.
"""

from __future__ import annotations

import json
import logging
import traceback
from datetime import UTC, datetime

from apps.core.context import current_request_id

# Fields that hold identifiers, codes, digests and numbers only.
SAFE_FIELDS = (
    "event", "actor", "route", "method", "status", "code", "duration_ms", "key_prefix",
    "model", "version", "gate", "decision", "policy", "run", "step", "task", "queue",
    "escalation", "level", "subject", "subject_id", "digest", "count", "chain",
    "sequence", "reason_code", "attempt", "channel",
)  # fmt: skip
FRAMES_KEPT = 12


class JsonFormatter(logging.Formatter):
    """One JSON object a line."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, object] = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": str(record.msg),
            "request_id": current_request_id(),
        }
        for name in SAFE_FIELDS:
            if name in record.__dict__:
                line[name] = record.__dict__[name]
        if record.exc_info and record.exc_info[0]:
            line["exception"] = record.exc_info[0].__name__
            line["frames"] = _frames(record)
        return json.dumps(line, default=str)


def _frames(record: logging.LogRecord) -> list[str]:
    if not record.exc_info or not record.exc_info[2]:
        return []
    frames = traceback.extract_tb(record.exc_info[2])[-FRAMES_KEPT:]
    return [f"{frame.filename}:{frame.lineno}:{frame.name}" for frame in frames]


def json_formatter() -> JsonFormatter:
    """The factory that ``LOGGING`` names."""
    return JsonFormatter()
