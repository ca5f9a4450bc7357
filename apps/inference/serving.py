"""Decide, close, deliver: the only way in for every protocol that serves models.

``serve_request`` returns bytes that are durable already, or the fixed text with a
problem. When the closing transaction cannot commit, nothing of the model is delivered.
"""

from __future__ import annotations

import logging
from dataclasses import replace

import orjson
from django.db import Error as DatabaseError

from apps.accounts.contracts import KeyFacts
from apps.core.errors import PlatformError
from apps.inference.contracts import Answer, FixedText, Outcome, Parts, ServingRequest
from apps.inference.errors import NotRecorded
from apps.inference.gateway import decide, fixed_reply, unavailable_answer
from apps.inference.idempotency import Claim, held, release_claim
from apps.inference.metrics import count_answer
from apps.inference.mirroring import mirror_answer
from apps.inference.rendering import OK, render_answer, status_of
from apps.inference.services import Outgoing, close_request
from apps.safety.services import open_spooled_cases

logger = logging.getLogger(__name__)

SPOOLED_A_REQUEST = 5


def serve_request(
    *,
    caller: KeyFacts,
    request: ServingRequest,
    parts: Parts,
    claim: Claim | None = None,
) -> Outgoing:
    """What to send for this request: recorded, or free of any model's words."""
    with held(claim):
        answer = decide(request=request, caller_id=str(caller.family_id), parts=parts)
        if answer.outcome is Outcome.ESCALATE and answer.escalation is None:
            return _delivered(answer, _outgoing(answer, claim))
        return _closed(caller, answer, parts, claim)


def _closed(
    caller: KeyFacts, answer: Answer, parts: Parts, claim: Claim | None
) -> Outgoing:
    outgoing = _outgoing(answer, claim)
    try:
        close_request(caller=caller, answer=answer, outgoing=outgoing)
    except PlatformError as error:
        if answer.problem is not None:
            raise
        return _closed(caller, _refused(answer, parts, error), parts, claim)
    except DatabaseError as error:
        logger.critical(
            "Closing transaction failed",
            extra={"subject_id": str(answer.request.id)},
            exc_info=error,
        )
        answer = not_recorded(answer, parts)
        outgoing = _outgoing(answer, claim)
    else:
        # The database writes again, so what waited for it need not wait for the sweep,
        # which may run on a machine with another disk.
        open_spooled_cases(limit=SPOOLED_A_REQUEST)
        mirror_answer(caller, answer)
    return _delivered(answer, outgoing)


def _outgoing(answer: Answer, claim: Claim | None) -> Outgoing:
    """Only an outcome is kept for repetition; a failure may be tried again."""
    status = status_of(answer)
    body = orjson.dumps(render_answer(answer))
    retry = answer.problem.extra.get("retry_after_s") if answer.problem else None
    retry_after_s = float(retry) if isinstance(retry, int | float) else None
    return Outgoing(status, body, claim, retry_after_s)


def not_recorded(answer: Answer, parts: Parts) -> Answer:
    """The same decision without a word of the model; a crisis keeps its reply."""
    problem = NotRecorded("The decision could not be recorded. Send it again.")
    if answer.outcome is Outcome.ESCALATE:
        return replace(answer, problem=problem)
    reply = fixed_reply(parts, FixedText.UNAVAILABLE, answer.request.locale)
    return replace(answer, outcome=Outcome.UNAVAILABLE, reply=reply, problem=problem)


def _refused(answer: Answer, parts: Parts, error: PlatformError) -> Answer:
    """An answer that may not be given, for example since the quota is spent."""
    refused = unavailable_answer(answer.request, parts, error)
    return replace(answer, outcome=refused.outcome, reply=refused.reply, problem=error)


def _delivered(answer: Answer, outgoing: Outgoing) -> Outgoing:
    """Count it, and let go of a claim for which no outcome was kept."""
    count_answer(answer)
    if outgoing.claim is not None and outgoing.status != OK:
        try:
            release_claim(outgoing.claim)
        except DatabaseError:
            logger.warning("Claim not released; its lease will end")
    return outgoing
