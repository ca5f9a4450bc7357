"""A guard model behind an OpenAI-compatible endpoint, asked over HTTPS.

It sees text with identifiers hidden and says scores; whatever it says can only make a
decision stricter. A slow or silent endpoint is left alone for a while by the breaker.
Redirects are not followed and proxies of the environment are not used.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, ClassVar

import httpx
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from apps.core.digests import digest_json
from apps.safety.channels.webhook import is_safe_url
from apps.safety.contracts import Inspection
from apps.safety.judges.breaker import CircuitBreaker
from apps.safety.judges.contracts import Judge, JudgeFailed, Judgement
from apps.safety.judges.dialects import DIALECTS

MOST_BYTES = 64 * 1024
_ACCEPTED = frozenset(
    {"class", "url", "model", "dialect", "timeout_ms", "failures", "rest_s"}
)


class RemoteGuard(Judge):
    """Options: ``url`` (up to and with /v1), ``model``, ``dialect`` (``scores`` or
    ``llama-guard``), ``timeout_ms`` (2000), ``failures`` (3), ``rest_s`` (30).

    The bearer token is PE_JUDGE_API_KEY. Raises ImproperlyConfigured for other options,
    an unknown dialect, or a URL that is neither https nor this machine.
    """

    reads_masked: ClassVar[bool] = True

    def __init__(self, name: str, options: Mapping[str, Any]) -> None:
        unknown = set(options) - _ACCEPTED
        dialect = str(options.get("dialect", "scores"))
        url = str(options.get("url", ""))
        if unknown or dialect not in DIALECTS or not is_safe_url(url):
            raise ImproperlyConfigured(
                f"Judge {name}: url must be https or this machine, dialect one of "
                f"{', '.join(DIALECTS)}, options among {', '.join(sorted(_ACCEPTED))}."
            )
        self.name = name
        self._model = str(options.get("model", ""))
        self._url = url.rstrip("/") + "/chat/completions"
        self._ask, self._read, self.gates = DIALECTS[dialect]
        shown = {"url": url, "model": self._model, "dialect": dialect}
        self.version = f"remote-1+{digest_json(shown).removeprefix('sha256:')[:8]}"
        self._timeout_s = float(options.get("timeout_ms", 2000)) / 1000
        self._breaker = CircuitBreaker(
            int(options.get("failures", 3)), float(options.get("rest_s", 30))
        )

    def judge(self, inspection: Inspection) -> Judgement:
        if not self._breaker.may_try():
            raise JudgeFailed("circuit_open")
        try:
            scores = self._read(self._answer(inspection))
        except JudgeFailed:
            self._breaker.failed()
            raise
        self._breaker.succeeded()
        return Judgement(scores)

    def _answer(self, inspection: Inspection) -> str:
        messages, more = self._ask(inspection)
        body = {"model": self._model, "messages": messages, "temperature": 0, **more}
        # ASCII JSON carries any str, half surrogate pairs too.
        content = self._posted(json.dumps(body).encode("ascii"))
        try:
            # Any: JSON of a foreign server, narrowed here.
            answer: Any = json.loads(content)
            words = answer["choices"][0]["message"]["content"]
        except (ValueError, KeyError, IndexError, TypeError, RecursionError) as error:
            raise JudgeFailed("answer_unparseable") from error
        if not isinstance(words, str):
            raise JudgeFailed("answer_unparseable")
        return words

    def _posted(self, body: bytes) -> bytes:
        headers = {"content-type": "application/json"}
        if settings.PE_JUDGE_API_KEY:
            headers["authorization"] = f"Bearer {settings.PE_JUDGE_API_KEY}"
        try:
            with (
                httpx.Client(timeout=self._timeout_s, trust_env=False) as client,
                client.stream("POST", self._url, content=body, headers=headers) as got,
            ):
                if not got.is_success:
                    raise JudgeFailed(f"status_{got.status_code}")
                return _read_at_most(got)
        except httpx.TimeoutException as error:
            raise JudgeFailed("timeout") from error
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise JudgeFailed("unreachable") from error


def _read_at_most(answer: httpx.Response) -> bytes:
    content = b""
    for chunk in answer.iter_bytes():
        content += chunk
        if len(content) > MOST_BYTES:
            raise JudgeFailed("answer_too_long")
    return content
