"""From an Answer to OpenAI's shapes, with what they have no place for under ``pe``.

Text comes from ``Answer.reply`` alone, or, in a stream, from pieces that were released.
A reply that no model wrote ends with ``content_filter``.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field

import orjson

from apps.inference.contracts import Answer, Inspected, Source
from apps.inference.openai.errors import error_body, problem_error
from apps.inference.openai.parsing import ChatAsked
from apps.inference.rendering import OK, render_contacts, rules_of, status_of, told_text
from apps.safety.contracts import Decision

CONTENT_FILTER = "content_filter"
DONE = b"data: [DONE]\n\n"
# Between what a stream has shown already and the fixed text that ends it.
PARAGRAPH = "\n\n"


@dataclass(frozen=True, slots=True)
class ChatRender:
    """One chat request's answer, whole or as server-sent events."""

    asked: ChatAsked
    created: int = field(default_factory=lambda: int(time.time()))

    def body(self, answer: Answer) -> bytes:
        """A ``chat.completion``, or an error when there is a problem."""
        if answer.problem is not None:
            return self._error(answer)
        message = {
            "role": "assistant",
            "content": told_text(answer.reply),
            "refusal": None,
        }
        choice = {
            "index": 0,
            "message": message,
            "logprobs": None,
            "finish_reason": finish_reason(answer),
        }
        return orjson.dumps(
            {
                **self._head("chat.completion"),
                "system_fingerprint": _fingerprint(answer),
                "choices": [choice],
                "usage": usage_of(answer),
                "pe": self._extension(answer),
            }
        )

    # -- streams -----------------------------------------------------------------------
    def opening(self, notice: str) -> bytes:
        """The assistant's role, and the notice that stands before a model's words."""
        first = self._chunk({"role": "assistant", "content": ""})
        return first + (self.piece(notice + PARAGRAPH) if notice else b"")

    def piece(self, text: str) -> bytes:
        return self._chunk({"content": text})

    def ending(self, answer: Answer, rest: str) -> bytes:
        """What is left to be said after pieces have left, and the end."""
        is_fixed = answer.reply.source is Source.FIXED
        text = PARAGRAPH + answer.reply.text if is_fixed else rest
        return (self.piece(text) if text else b"") + self._end(answer)

    def whole(self, answer: Answer) -> bytes:
        """All of an answer at once; an error is no stream."""
        if status_of(answer) != OK:
            return self._error(answer)
        return (
            self.opening("") + self.piece(told_text(answer.reply)) + self._end(answer)
        )

    def _end(self, answer: Answer) -> bytes:
        last = self._chunk({}, finish_reason(answer), pe=self._extension(answer))
        if not self.asked.includes_usage:
            return last + DONE
        counted = {**self._head(CHUNK), "choices": [], "usage": usage_of(answer)}
        return last + _event(counted) + DONE

    def _chunk(
        self, delta: dict[str, str], finish: str | None = None, **more: object
    ) -> bytes:
        choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}
        usage = {"usage": None} if self.asked.includes_usage else {}
        return _event({**self._head(CHUNK), "choices": [choice], **usage, **more})

    # -- both --------------------------------------------------------------------------
    def _head(self, kind: str) -> dict[str, object]:
        return {
            "id": f"chatcmpl-{self.asked.request.id}",
            "object": kind,
            "created": self.created,
            "model": self.asked.model,
        }

    def _error(self, answer: Answer) -> bytes:
        problem = answer.problem
        assert problem is not None  # noqa: S101 - narrows the type for mypy
        error = problem_error(problem, status_of(answer))
        return orjson.dumps(error_body(error, self._extension(answer)))

    def _extension(self, answer: Answer) -> dict[str, object]:
        escalation, version = answer.escalation, answer.routed and answer.routed.version
        return {
            "request_id": str(self.asked.request.id),
            "decision": answer.outcome.value,
            "source": answer.reply.source.value,
            "reasons": reasons_of(answer),
            "rules": rules_of(answer),
            "resources": render_contacts(answer.reply.contacts),
            "escalation": {"id": escalation.id, "level": escalation.level}
            if escalation
            else None,
            "version": str(version.number) if version else None,
            "version_digest": version.digest if version else None,
            "policy_digest": answer.policy.digest if answer.policy else None,
            "dropped_turns": self.asked.dropped_turns,
            **({"text": told_text(answer.reply)} if answer.problem else {}),
        }


CHUNK = "chat.completion.chunk"


def _event(content: dict[str, object]) -> bytes:
    return b"data: " + orjson.dumps(content) + b"\n\n"


def finish_reason(answer: Answer) -> str:
    return CONTENT_FILTER if answer.reply.source is Source.FIXED else answer.finish


def usage_of(answer: Answer) -> dict[str, int]:
    """Tokens as the model counts them; zero where it counts none."""
    prompt = answer.usage.get("prompt_tokens", 0)
    completion = answer.usage.get("completion_tokens", 0)
    return {
        "prompt_tokens": prompt,
        "completion_tokens": completion,
        "total_tokens": prompt + completion,
    }


def reasons_of(answer: Answer) -> list[str]:
    """Reason codes of the verdicts that did not simply allow, each once."""
    stages: list[Inspected] = [one for one in (answer.input, answer.output) if one]
    found = [
        reason
        for stage in stages
        for verdict in stage.verdicts
        if verdict.decision is not Decision.ALLOW
        for reason in verdict.reasons
    ]
    return list(dict.fromkeys(found))


def _fingerprint(answer: Answer) -> str | None:
    return answer.routed.version.digest if answer.routed else None
