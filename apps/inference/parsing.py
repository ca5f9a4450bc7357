"""From bytes to a ServingRequest: by hand, since every request passes here.

Refusals name the field and what was expected, never what was found: the body is what
somebody wrote. The published schema (schema.py) states the same rules; a test sends
generated bodies against both.
"""

from __future__ import annotations

import re
import uuid
from dataclasses import dataclass
from typing import Any

import orjson

from apps.inference.contracts import ServingRequest
from apps.inference.errors import InvalidBody, InvalidField, TextTooLong

DEFAULT_LOCALE = "en"
LOCALE = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8}){0,3}")
PARTICIPANT_REF = re.compile(r"[A-Za-z0-9._:@-]{1,128}")
IDEMPOTENCY_KEY = re.compile(r"[A-Za-z0-9._:-]{1,200}")
MAX_CONTEXT_TURNS = 50
BODY_FIELDS = frozenset({"input"})
INPUT_FIELDS = frozenset({"text", "context", "locale", "participant_ref"})
# An escaped surrogate in the source; JSON parsers refuse it when it stands alone.
_ESCAPED_SURROGATE = re.compile(rb"\\u[dD][89a-fA-F]")


@dataclass(frozen=True, slots=True)
class Limits:
    """How much text one request may carry, in code points."""

    text_chars: int
    context_chars: int


# Any: a JSON value of unknown shape, narrowed below.
def parse_json(raw: bytes) -> Any:
    """The JSON value; InvalidBody, or InvalidField for a lone surrogate."""
    try:
        return orjson.loads(raw)
    except orjson.JSONDecodeError as error:
        if _ESCAPED_SURROGATE.search(raw):
            raise InvalidField(
                "The body holds a surrogate escape without its pair, which is no "
                "character. Send the text as valid Unicode."
            ) from error
        raise InvalidBody("The body is not valid JSON in UTF-8.") from error


def read_request(
    value: Any,
    *,
    request_id: uuid.UUID,
    model_name: str,
    limits: Limits,
    deadline_ms: float = 5000.0,
) -> ServingRequest:
    """The validated request. Raises InvalidField or TextTooLong."""
    body = _object(value, "The body", BODY_FIELDS)
    if "input" not in body:
        raise InvalidField('The body needs the field "input".')
    given = _object(body["input"], '"input"', INPUT_FIELDS)
    return ServingRequest(
        id=request_id,
        model_name=model_name,
        text=_text(given, limits),
        context=_context(given, limits),
        locale=_matching(given, "locale", LOCALE) or DEFAULT_LOCALE,
        participant_ref=_matching(given, "participant_ref", PARTICIPANT_REF),
        deadline_ms=deadline_ms,
    )


def locale_of(value: Any) -> str:
    """The locale that a body asks for, as far as it can be read; never raises."""
    given = value.get("input") if isinstance(value, dict) else None
    wanted = given.get("locale") if isinstance(given, dict) else None
    if isinstance(wanted, str) and LOCALE.fullmatch(wanted):
        return wanted
    return DEFAULT_LOCALE


def _object(value: Any, where: str, known: frozenset[str]) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise InvalidField(f"{where} has to be a JSON object.")
    if not value.keys() <= known:
        names = ", ".join(sorted(known))
        raise InvalidField(f"{where} holds an unknown field; known are: {names}.")
    return value


def _text(given: dict[str, Any], limits: Limits) -> str:
    text = given.get("text")
    if not isinstance(text, str):
        raise InvalidField('"input.text" is required and has to be a string.')
    if not text.strip():
        raise InvalidField('"input.text" is empty.')
    if len(text) > limits.text_chars:
        raise TextTooLong(
            f'"input.text" may hold {limits.text_chars} characters; shorten it, or '
            'send earlier turns in "context".',
            extra={"limit_chars": limits.text_chars},
        )
    return text


def _context(given: dict[str, Any], limits: Limits) -> tuple[str, ...]:
    turns = given.get("context", [])
    if not isinstance(turns, list) or not all(isinstance(turn, str) for turn in turns):
        raise InvalidField('"input.context" has to be a list of strings.')
    if len(turns) > MAX_CONTEXT_TURNS:
        raise InvalidField(
            f'"input.context" may hold {MAX_CONTEXT_TURNS} turns; send the latest.'
        )
    if sum(map(len, turns)) > limits.context_chars:
        raise TextTooLong(
            f'"input.context" may hold {limits.context_chars} characters in all; '
            "send the latest turns.",
            extra={"limit_chars": limits.context_chars},
        )
    return tuple(turns)


def _matching(given: dict[str, Any], name: str, form: re.Pattern[str]) -> str:
    if name not in given:
        return ""
    value = given[name]
    if not isinstance(value, str) or not form.fullmatch(value):
        raise InvalidField(f'"input.{name}" has to match {form.pattern}.')
    return value


def read_idempotency_key(header: str | None) -> str:
    """The key, or an empty string when none was sent; InvalidField when malformed."""
    if header is None:
        return ""
    if not IDEMPOTENCY_KEY.fullmatch(header):
        raise InvalidField(
            f"The header Idempotency-Key has to match {IDEMPOTENCY_KEY.pattern}."
        )
    return header
