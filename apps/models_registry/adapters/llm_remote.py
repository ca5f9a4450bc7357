"""Serves ``llm_remote`` versions: any server that speaks OpenAI's chat completions.

vLLM, TGI, Ollama, llama.cpp and others. What the version records (endpoint, model,
system prompt, parameters) is what was signed for; the secret is kept apart and read
when it is sent. What the server writes is text for the gates, nothing else: tool calls,
reasoning and whatever else it may send are not read.
"""

from __future__ import annotations

import json
import time
from collections.abc import Generator, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any

import orjson
from django.conf import settings

from apps.core.errors import Unavailable
from apps.models_registry.adapters.base import GuardedAdapter
from apps.models_registry.adapters.remote.client import EndpointClient, Tools
from apps.models_registry.adapters.remote.endpoint import (
    ENDPOINT_FILE,
    Endpoint,
    parse_endpoint,
)
from apps.models_registry.adapters.remote.failures import EndpointFailed
from apps.models_registry.adapters.remote.sse import data_lines, whole_body
from apps.models_registry.contracts import (
    GenerationEnd,
    Prediction,
    Role,
    SecretReader,
    TextRequest,
    VerifiedBytes,
)

PATH = "/chat/completions"
DONE = b"[DONE]"
# For a batch that names no deadline, as evaluators send (ms).
PATIENT_MS = 120_000.0
# Far more than a token holds; a server that writes on and on is left.
CHARS_A_TOKEN = 64
# A connection pool, its buffers and a few strings.
MEMORY_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class _Loaded:
    endpoint: Endpoint
    client: EndpointClient
    version_digest: str


class LlmRemoteAdapter(GuardedAdapter):
    name = "llm_remote"
    version = "1"
    files = (ENDPOINT_FILE,)
    streams = True

    def __init__(self, tools: Tools | None = None) -> None:
        self._tools = tools or Tools(allowed=tuple(settings.PE_REMOTE_NETWORKS))
        self._read_secret: SecretReader = _no_secrets
        self._loaded: _Loaded | None = None

    def use_secrets(self, read: SecretReader) -> None:
        self._read_secret = read

    def load(
        self, artifacts: Mapping[str, VerifiedBytes], *, version_digest: str
    ) -> None:
        """Reads the endpoint; it is not called before the first text."""
        self.unload()
        endpoint = parse_endpoint(json.loads(artifacts[ENDPOINT_FILE].content))
        client = EndpointClient(endpoint, self._tools)
        self._loaded = _Loaded(endpoint, client, version_digest)

    def _predict(self, batch: Sequence[TextRequest]) -> list[Prediction]:
        loaded = self._ready()
        key = self._key(loaded)
        if len(batch) == 1:
            return [_predicted(loaded, batch[0], key)]
        with ThreadPoolExecutor(loaded.endpoint.parallel) as threads:
            return list(threads.map(lambda one: _predicted(loaded, one, key), batch))

    def _stream(self, asked: TextRequest) -> Generator[str | GenerationEnd]:
        loaded = self._ready()
        body = request_body(loaded.endpoint, asked) | {
            "stream": True,
            "stream_options": {"include_usage": True},
        }
        ends_at = loaded.client.ends_at(asked.deadline_ms or PATIENT_MS)
        key = self._key(loaded)
        with loaded.client.answer(PATH, body, key, ends_at) as pieces:
            most = CHARS_A_TOKEN * limit_of(loaded.endpoint, asked)
            yield from deltas(data_lines(pieces), most)

    def _ready(self) -> _Loaded:
        if self._loaded is None:
            raise Unavailable("The model is not loaded.")
        return self._loaded

    def _key(self, loaded: _Loaded) -> str:
        """The secret, in the thread that may ask the database for it."""
        name = loaded.endpoint.secret
        return self._read_secret(name, loaded.endpoint.origin) if name else ""

    def signature(self) -> Mapping[str, object]:
        return {"input": "TextRequest", "output": "Prediction", "labels": []}

    def unload(self) -> None:
        if self._loaded is not None:
            self._loaded.client.close()
            self._loaded = None

    @property
    def memory_bytes(self) -> int:
        return MEMORY_BYTES if self._loaded else 0


def _no_secrets(name: str, origin: str) -> str:
    raise EndpointFailed("secret_not_readable")


def request_body(endpoint: Endpoint, asked: TextRequest) -> dict[str, object]:
    """The chat that is asked for: the version's own prompt first, then the caller's."""
    options = asked.options
    own = [(Role.SYSTEM, endpoint.system_prompt)] if endpoint.system_prompt else []
    turns = [*own, *turns_of(asked), (Role.USER, asked.text)]
    body: dict[str, object] = {
        "model": endpoint.model,
        "messages": [{"role": role.value, "content": text} for role, text in turns],
        "temperature": _given(options.temperature, endpoint.temperature),
        "top_p": _given(options.top_p, endpoint.top_p),
        endpoint.token_limit_field: limit_of(endpoint, asked),
    }
    if options.seed is not None:
        body["seed"] = options.seed
    if options.stop:
        body["stop"] = list(options.stop)
    return body


def limit_of(endpoint: Endpoint, asked: TextRequest) -> int:
    """How many tokens may be written: what is asked for, up to the version's own."""
    return min(asked.options.max_tokens or endpoint.max_tokens, endpoint.max_tokens)


def _given(chosen: float | None, otherwise: float) -> float:
    return otherwise if chosen is None else chosen


def turns_of(asked: TextRequest) -> list[tuple[Role, str]]:
    """Earlier turns with who wrote them; alternating where nobody said."""
    if asked.roles:
        return list(zip(asked.roles, asked.context, strict=True))
    count = len(asked.context)
    return [
        (Role.ASSISTANT if (count - n) % 2 else Role.USER, text)
        for n, text in enumerate(asked.context)
    ]


def _predicted(loaded: _Loaded, asked: TextRequest, key: str) -> Prediction:
    started = time.perf_counter()
    client = loaded.client
    ends_at = client.ends_at(asked.deadline_ms or PATIENT_MS)
    body = request_body(loaded.endpoint, asked)
    with client.answer(PATH, body, key, ends_at) as pieces:
        answer = _parsed(whole_body(pieces))
        choice = _choice(answer)
        message = choice.get("message")
        text = message.get("content") if isinstance(message, dict) else None
        if not isinstance(text, str) or not text.strip():
            raise EndpointFailed("no_text")
    return Prediction(
        text=text,
        labels={},
        reply_id="",
        model_version_digest=loaded.version_digest,
        elapsed_ms=(time.perf_counter() - started) * 1000,
        end=_ended(choice.get("finish_reason"), answer.get("usage")),
    )


def deltas(lines: Iterator[bytes], most_chars: int) -> Generator[str | GenerationEnd]:
    """Text as it comes and its end; EndpointFailed when it was cut off, has none or
    goes on for more than ``most_chars``."""
    end, has_text, is_finished = GenerationEnd(), False, False
    for line in lines:
        if line == DONE:
            is_finished = True
            break
        event = _parsed(line)
        if event.get("usage"):
            end = _ended(end.finish, event["usage"])
        if not event.get("choices"):
            continue
        choice = _choice(event)
        delta = choice.get("delta")
        text = delta.get("content") if isinstance(delta, dict) else None
        if isinstance(text, str) and text:
            has_text = has_text or not text.isspace()
            most_chars -= len(text)
            if most_chars < 0:
                raise EndpointFailed("too_much_text")
            yield text
        if choice.get("finish_reason"):
            is_finished = True
            end = replace(end, finish=_finish(choice["finish_reason"]))
    if not is_finished:
        raise EndpointFailed("cut_off")
    if not has_text:
        raise EndpointFailed("no_text")
    yield end


# Any: JSON of another server, narrowed where it is read.
def _parsed(content: bytes) -> dict[str, Any]:
    try:
        found = orjson.loads(content)
    except orjson.JSONDecodeError as error:
        raise EndpointFailed("not_json") from error
    if not isinstance(found, dict):
        raise EndpointFailed("not_an_object")
    if found.get("error"):
        raise EndpointFailed("error_event")
    return found


def _choice(answer: dict[str, Any]) -> dict[str, Any]:
    choices = answer.get("choices")
    if isinstance(choices, list) and choices and isinstance(choices[0], dict):
        return choices[0]
    raise EndpointFailed("no_choice")


def _ended(finish: object, usage: object) -> GenerationEnd:
    counts = usage if isinstance(usage, dict) else {}
    return GenerationEnd(
        finish=_finish(finish),
        prompt_tokens=_count(counts.get("prompt_tokens")),
        completion_tokens=_count(counts.get("completion_tokens")),
    )


def _finish(reason: object) -> str:
    return "length" if reason == "length" else "stop"


def _count(value: object) -> int | None:
    return value if isinstance(value, int) and value >= 0 else None
