"""Decide, close, deliver: the only way in for every protocol that serves models.

``serve_request`` returns bytes that are durable already, or the fixed text with a
problem. When the closing transaction cannot commit, nothing of the model is delivered.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, replace

import orjson
from django.db import Error as DatabaseError

from apps.accounts.contracts import KeyFacts
from apps.core.errors import PlatformError
from apps.inference.contracts import Answer, FixedText, Outcome, Parts, ServingRequest
from apps.inference.errors import NotRecorded
from apps.inference.gateway import decide, fixed_reply, unavailable_answer
from apps.inference.idempotency import OutcomeClaim, held
from apps.inference.metrics import count_answer
from apps.inference.mirroring import mirror_answer
from apps.inference.rendering import OK, render_answer, status_of
from apps.inference.services import Opening, Outgoing, close_request
from apps.safety.services import open_spooled_cases

logger = logging.getLogger(__name__)

SPOOLED_A_REQUEST = 5
# The body of an answer in the words of one protocol.
Render = Callable[[Answer], bytes]


def render_native(answer: Answer) -> bytes:
    """The body as /api/v1/ speaks."""
    return orjson.dumps(render_answer(answer))


def serve_request(
    *,
    caller: KeyFacts,
    request: ServingRequest,
    parts: Parts,
    claim: OutcomeClaim | None = None,
    render: Render = render_native,
) -> Outgoing:
    """What to send for this request: recorded, or free of any model's words."""
    with held(claim):
        answer = decide(request=request, caller_id=str(caller.family_id), parts=parts)
        return Closing(caller, parts, render, claim).deliver(answer)


@dataclass(frozen=True, slots=True)
class Closing:
    """How the answer to one request is closed and rendered.

    ``opening`` is that of a stream which has begun to leave; ``render`` then gives all
    of it, from its first byte.
    """

    caller: KeyFacts
    parts: Parts
    render: Render
    claim: OutcomeClaim | None = None
    opening: Opening | None = None

    def deliver(self, answer: Answer) -> Outgoing:
        """What to send for this answer, once it is recorded."""
        if answer.outcome is Outcome.ESCALATE and answer.escalation is None:
            return _delivered(answer, self._outgoing(answer))
        return self._closed(answer)

    def _closed(self, answer: Answer) -> Outgoing:
        outgoing = self._outgoing(answer)
        try:
            close_request(
                caller=self.caller,
                answer=answer,
                outgoing=outgoing,
                opening=self.opening,
            )
        except PlatformError as error:
            if answer.problem is not None:
                raise
            return self._closed(refused(answer, self.parts, error))
        except DatabaseError as error:
            logger.critical(
                "Closing transaction failed",
                extra={"subject_id": str(answer.request.id)},
                exc_info=error,
            )
            answer = not_recorded(answer, self.parts)
            outgoing = self._outgoing(answer)
        else:
            # The database writes again, so what waited for it need not wait for the
            # sweep, which may run on a machine with another disk.
            open_spooled_cases(limit=SPOOLED_A_REQUEST)
            mirror_answer(self.caller, answer)
        return _delivered(answer, outgoing)

    def _outgoing(self, answer: Answer) -> Outgoing:
        """Only an outcome is kept for repetition; a failure may be tried again."""
        retry = answer.problem.extra.get("retry_after_s") if answer.problem else None
        retry_after_s = float(retry) if isinstance(retry, int | float) else None
        body = self.render(answer)
        return Outgoing(status_of(answer), body, self.claim, retry_after_s)


def not_recorded(answer: Answer, parts: Parts) -> Answer:
    """The same decision without a word of the model; a crisis keeps its reply."""
    problem = NotRecorded("The decision could not be recorded. Send it again.")
    if answer.outcome is Outcome.ESCALATE:
        return replace(answer, problem=problem)
    reply = fixed_reply(parts, FixedText.UNAVAILABLE, answer.request.locale)
    return replace(answer, outcome=Outcome.UNAVAILABLE, reply=reply, problem=problem)


def refused(answer: Answer, parts: Parts, error: PlatformError) -> Answer:
    """An answer that may not be given, for example since the quota is spent."""
    refused = unavailable_answer(answer.request, parts, error)
    return replace(answer, outcome=refused.outcome, reply=refused.reply, problem=error)


def _delivered(answer: Answer, outgoing: Outgoing) -> Outgoing:
    """Count it, and let go of a claim for which no outcome was kept."""
    count_answer(answer)
    if outgoing.claim is not None and outgoing.status != OK:
        try:
            outgoing.claim.release()
        except DatabaseError:
            logger.warning("Claim not released; its lease will end")
    return outgoing
