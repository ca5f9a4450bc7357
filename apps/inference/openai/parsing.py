"""From an OpenAI chat request to a ServingRequest.

What this platform can do is done, what changes nothing is accepted and ignored, and
what it cannot do is refused by name, so that no program believes in something that did
not happen. Refusals never quote the request.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from apps.inference.contracts import ServingRequest
from apps.inference.errors import InvalidParameter, TextTooLong
from apps.inference.parsing import (
    DEFAULT_LOCALE,
    LOCALE,
    MAX_CONTEXT_TURNS,
    PARTICIPANT_REF,
    Limits,
)
from apps.models_registry.contracts import GenerationOptions, Role
from apps.safety.services import text_digest

MODEL_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:/-]{0,79}")
# No model can be registered under this name.
UNNAMED = "(unnamed)"
USED = frozenset(
    {
        "messages", "model", "stream", "stream_options", "max_tokens",
        "max_completion_tokens", "temperature", "top_p", "seed", "stop", "n", "user",
        "safety_identifier", "pe",
    }
)  # fmt: skip
# They change nothing about a reply here.
IGNORED = frozenset(
    {
        "metadata", "store", "service_tier", "prompt_cache_key",
        "prompt_cache_retention", "reasoning_effort", "verbosity",
        "parallel_tool_calls",
    }
)  # fmt: skip
# Accepted as long as they ask for nothing.
NEUTRAL: dict[str, tuple[object, ...]] = {
    "presence_penalty": (0,),
    "frequency_penalty": (0,),
    "logit_bias": ({},),
    "logprobs": (False,),
    "top_logprobs": (0,),
    "response_format": ({"type": "text"},),
    "tools": ([],),
    "tool_choice": ("none", "auto"),
    "functions": ([],),
    "function_call": ("none", "auto"),
    "modalities": (["text"],),
}
ROLES = {
    "system": Role.SYSTEM,
    "developer": Role.SYSTEM,
    "user": Role.USER,
    "assistant": Role.ASSISTANT,
}
MESSAGE_FIELDS = frozenset({"role", "content", "name"})
OWN = {"locale": LOCALE.pattern, "participant_ref": PARTICIPANT_REF.pattern}
STOPS, STOP_CHARS = 4, 64
MOST_SEED = 2**63 - 1


@dataclass(frozen=True, slots=True)
class ChatAsked:
    """``dropped_turns`` counts earlier turns that were too many or too long to use."""

    request: ServingRequest
    model: str
    is_stream: bool = False
    includes_usage: bool = False
    dropped_turns: int = 0


@dataclass(frozen=True, slots=True)
class _Turn:
    role: Role
    text: str


# Any: a JSON value of unknown shape, narrowed below.
def read_chat(value: Any, *, limits: Limits, deadline_ms: float) -> ChatAsked:
    """The validated request. Raises InvalidParameter or TextTooLong."""
    body = _body(value)
    own = own_members(body, OWN)
    turns = _turns(body.get("messages"))
    if not turns or turns[-1].role is not Role.USER:
        raise InvalidParameter("The last message has to be of the user.", "messages")
    instructions = [turn.text for turn in turns if turn.role is Role.SYSTEM]
    if sum(map(len, instructions)) > limits.context_chars:
        raise _too_long("System messages", limits.context_chars)
    spoken, text = _unanswered(
        [turn for turn in turns if turn.role is not Role.SYSTEM], limits
    )
    earlier = _latest(spoken, limits)
    model = _model(body)
    request = ServingRequest(
        id=uuid.uuid4(),
        model_name=model if MODEL_NAME.fullmatch(model) else UNNAMED,
        text=text,
        context=tuple(turn.text for turn in earlier),
        locale=own.get("locale", DEFAULT_LOCALE),
        participant_ref=own.get("participant_ref") or _participant(body),
        deadline_ms=deadline_ms,
        roles=tuple(turn.role for turn in earlier),
        instructions=tuple(instructions),
        options=_options(body),
    )
    is_stream = _boolean(body, "stream")
    options = _object(body, "stream_options", frozenset({"include_usage"}))
    includes_usage = _boolean(options, "include_usage")
    dropped = len(spoken) - len(earlier)
    return ChatAsked(request, model, is_stream, includes_usage, dropped)


def chat_locale(value: Any) -> str:
    """The locale that a body asks for, as far as it can be read; never raises."""
    own = value.get("pe") if isinstance(value, dict) else None
    wanted = own.get("locale") if isinstance(own, dict) else None
    is_locale = isinstance(wanted, str) and LOCALE.fullmatch(wanted)
    return str(wanted) if is_locale else DEFAULT_LOCALE


def _body(value: Any) -> dict[str, Any]:
    """The members that say something: null is as good as left out."""
    if not isinstance(value, dict):
        raise InvalidParameter("The body has to be a JSON object.")
    given = {name: one for name, one in value.items() if one is not None}
    for name, one in given.items():
        if name in USED or name in IGNORED:
            continue
        if name not in NEUTRAL:
            raise InvalidParameter("The body holds a parameter that is not known here.")
        if not any(one == neutral for neutral in NEUTRAL[name]):
            raise InvalidParameter(f"{name} is not supported here.", name)
    if given.get("n", 1) != 1:
        raise InvalidParameter("One choice is given; n has to be 1.", "n")
    return given


def _model(body: dict[str, Any]) -> str:
    model = body.get("model")
    if not isinstance(model, str):
        raise InvalidParameter("model is required and has to be a string.", "model")
    return model


def own_members(body: dict[str, Any], forms: Mapping[str, str]) -> dict[str, str]:
    """The extension object: what this platform takes beyond OpenAI's parameters.

    Each member is a string that matches its form, a regular expression.
    """
    own = _object(body, "pe", frozenset(forms))
    for name, value in own.items():
        if not isinstance(value, str) or not re.fullmatch(forms[name], value):
            raise InvalidParameter(f"pe.{name} has to match {forms[name]}.", "pe")
    return own


def _participant(body: dict[str, Any]) -> str:
    """The program's name for the person; what is no opaque name is digested at once."""
    for name in ("safety_identifier", "user"):
        value = body.get(name)
        if value is None or value == "":
            continue
        if not isinstance(value, str):
            raise InvalidParameter(f"{name} has to be a string.", name)
        return value if PARTICIPANT_REF.fullmatch(value) else text_digest(value)
    return ""


def _turns(messages: Any) -> list[_Turn]:
    if not isinstance(messages, list):
        raise InvalidParameter("messages is required and has to be a list.", "messages")
    return [turn for message in messages for turn in _turn(message)]


def _turn(message: Any) -> list[_Turn]:
    """The turn of a message; none for an assistant's message without text."""
    if not isinstance(message, dict):
        raise InvalidParameter("Each message has to be an object.", "messages")
    given = {name: one for name, one in message.items() if one not in (None, [])}
    role = given.get("role")
    if not isinstance(role, str) or role not in ROLES:
        raise InvalidParameter(
            f"A message's role is one of {', '.join(ROLES)}.", "messages"
        )
    if not given.keys() <= MESSAGE_FIELDS:
        raise InvalidParameter(
            "A message may hold role, content and name; tools are not supported.",
            "messages",
        )
    if "content" not in given:
        if ROLES[role] is Role.ASSISTANT:
            return []
        raise InvalidParameter("A message needs content.", "messages")
    return [_Turn(ROLES[role], _content(given["content"]))]


def _content(content: Any) -> str:
    if isinstance(content, str):
        return content
    parts = content if isinstance(content, list) else [content]
    texts = [
        part["text"]
        for part in parts
        if isinstance(part, dict)
        and part.get("type") == "text"
        and isinstance(part.get("text"), str)
    ]
    if len(texts) != len(parts):
        raise InvalidParameter(
            "A message's content is a string or a list of parts of type text.",
            "messages",
        )
    return "\n".join(texts)


def _unanswered(turns: Sequence[_Turn], limits: Limits) -> tuple[list[_Turn], str]:
    """What was said before, and what the person has written since.

    Several messages of the user in a row are one text, as far as it may be long: gates
    read what is new in full, and what is old for its bearing on that.
    """
    last = turns[-1].text
    if not last.strip():
        raise InvalidParameter("The last message is empty.", "messages")
    if len(last) > limits.text_chars:
        raise _too_long("The last message", limits.text_chars)
    before = list(turns[:-1])
    while before and before[-1].role is Role.USER:
        joined = f"{before[-1].text}\n\n{last}"
        if len(joined) > limits.text_chars:
            break
        last = joined
        before.pop()
    return before, last


def _latest(turns: Sequence[_Turn], limits: Limits) -> list[_Turn]:
    """The latest turns that fit. Programs send all there are; refusing the fifty-first
    would leave a person without an answer."""
    kept: list[_Turn] = []
    left = limits.context_chars
    for turn in reversed(turns[-MAX_CONTEXT_TURNS:]):
        left -= len(turn.text)
        if left < 0:
            break
        kept.append(turn)
    return kept[::-1]


def _options(body: dict[str, Any]) -> GenerationOptions:
    limits = [
        _integer(body, name, 1, 1 << 20)
        for name in ("max_completion_tokens", "max_tokens")
    ]
    return GenerationOptions(
        max_tokens=next((limit for limit in limits if limit is not None), None),
        temperature=_number(body, "temperature", 2.0),
        top_p=_number(body, "top_p", 1.0),
        seed=_integer(body, "seed", -MOST_SEED - 1, MOST_SEED),
        stop=_stops(body.get("stop", [])),
    )


def _stops(value: Any) -> tuple[str, ...]:
    given = [value] if isinstance(value, str) else value
    fits = isinstance(given, list) and len(given) <= STOPS
    if not fits or not all(
        isinstance(s, str) and 0 < len(s) <= STOP_CHARS for s in given
    ):
        raise InvalidParameter(
            f"stop is up to {STOPS} strings of 1 to {STOP_CHARS} characters.", "stop"
        )
    return tuple(given)


def _object(body: dict[str, Any], name: str, known: frozenset[str]) -> dict[str, Any]:
    given = body.get(name) or {}
    if not isinstance(given, dict):
        raise InvalidParameter(f"{name} has to be an object.", name)
    given = {key: one for key, one in given.items() if one is not None}
    # OpenAI's own clients may send this one; it concerns their transport.
    given.pop("include_obfuscation", None)
    if not given.keys() <= known:
        raise InvalidParameter(f"{name} may hold {', '.join(sorted(known))}.", name)
    return given


def _boolean(body: dict[str, Any], name: str) -> bool:
    value = body.get(name, False)
    if not isinstance(value, bool):
        raise InvalidParameter(f"{name} has to be true or false.", name)
    return value


def _integer(body: dict[str, Any], name: str, low: int, high: int) -> int | None:
    value = body.get(name)
    is_whole = isinstance(value, int) and not isinstance(value, bool)
    if value is None or (is_whole and low <= value <= high):
        return value
    raise InvalidParameter(f"{name} has to be a whole number from {low}.", name)


def _number(body: dict[str, Any], name: str, high: float) -> float | None:
    value = body.get(name)
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if value is None or (is_number and 0 <= value <= high):
        return value
    raise InvalidParameter(f"{name} has to be a number from 0 to {high:g}.", name)


def _too_long(what: str, limit: int) -> TextTooLong:
    return TextTooLong(
        f"{what} may hold {limit} characters.",
        extra={"limit_chars": limit, "param": "messages"},
    )
