"""From the bytes of a JSON Lines body to lines, in memory that does not grow with it.

A line that cannot be read is refused by its number and keeps no other line from the
gates; messages say what was expected, never what was sent.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

import orjson
from django.conf import settings

from apps.core.errors import PlatformError
from apps.inference.errors import BatchTooLarge, InvalidBody, InvalidField
from apps.inference.parsing import Limits, parse_json, read_request

# Your own name for a line: opaque, and no place for anything about a person.
CUSTOM_ID = re.compile(r"[A-Za-z0-9._:-]{1,128}")
LINE_FIELDS = frozenset({"id", "input"})
_MARK = b"\xef\xbb\xbf"
NO_REQUEST = uuid.UUID(int=0)


@dataclass(frozen=True, slots=True)
class Line:
    """One line, numbered from 1. ``words`` is the JSON of its input, or None with the
    ``problem`` that kept it from being read."""

    position: int
    custom_id: str
    words: bytes | None = field(repr=False)
    problem: PlatformError | None = None
    participant_ref: str = field(default="", repr=False)


def split_lines(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """Lines without their ends, blank ones included; InvalidBody for an endless one."""
    rest = b""
    for piece in pieces:
        *whole, rest = (rest + piece).split(b"\n")
        yield from whole
        if len(rest) > settings.PE_BATCH_MAX_LINE_BYTES:
            raise InvalidBody(
                f"A line may have {settings.PE_BATCH_MAX_LINE_BYTES} bytes. Send one "
                "JSON object a line."
            )
    yield rest


def read_lines(pieces: Iterable[bytes], limits: Limits) -> Iterator[Line]:
    """Every line that is not blank. BatchTooLarge or InvalidBody for all of them."""
    position = 0
    for number, raw in enumerate(split_lines(pieces)):
        content = raw.removeprefix(_MARK) if number == 0 else raw
        if not content.strip():
            continue
        position += 1
        if position > settings.PE_BATCH_MAX_LINES:
            raise BatchTooLarge(
                f"A batch may have {settings.PE_BATCH_MAX_LINES} lines; split it.",
                extra={"limit_lines": settings.PE_BATCH_MAX_LINES},
            )
        yield _line(position, content, limits)


def _line(position: int, content: bytes, limits: Limits) -> Line:
    custom_id = ""
    try:
        body = parse_json(content)
        if not isinstance(body, dict) or not body.keys() <= LINE_FIELDS:
            raise InvalidField('A line is an object with "input" and maybe "id".')
        custom_id = _custom_id(body.get("id", ""))
        given = {"input": body.get("input")}
        asked = read_request(given, request_id=NO_REQUEST, model_name="", limits=limits)
        words = orjson.dumps(given)
        return Line(position, custom_id, words, participant_ref=asked.participant_ref)
    except PlatformError as problem:
        return Line(position, custom_id, None, problem)


def _custom_id(value: object) -> str:
    if value == "":
        return ""
    if not isinstance(value, str) or not CUSTOM_ID.fullmatch(value):
        raise InvalidField(f'"id" has to match {CUSTOM_ID.pattern}.')
    return value
