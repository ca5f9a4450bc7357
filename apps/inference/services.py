"""Closing a request: what makes a decision durable before anything of it is sent.

One transaction holds the record, the quota, the idempotent outcome and the audit entry.
No text of a participant or a model reaches a table here unsealed. Sealed are the
response body that an Idempotency-Key asks to keep, and the words that settings ask to
keep for replay.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.utils import timezone

from apps.accounts.contracts import KeyFacts
from apps.accounts.permissions import actor_for_key, require
from apps.accounts.quotas import give_back_quota, spend_quota
from apps.audit.services import record_event
from apps.core.actors import Actor, Subject
from apps.core.context import current_request_id
from apps.core.keys.subjects import subject_name
from apps.inference.contracts import Answer, Inspected, Outcome, ServingRequest
from apps.inference.idempotency import OutcomeClaim
from apps.inference.kept_text import keep_text
from apps.inference.models import InferenceRecord
from apps.inference.rendering import rules_of, verdict_summary
from apps.safety.services import text_digest


@dataclass(frozen=True, slots=True)
class Outgoing:
    """The response as it will be sent, with the claim that wants it kept."""

    status: int
    body: bytes
    claim: OutcomeClaim | None = None
    retry_after_s: float | None = None


@dataclass(frozen=True, slots=True)
class Opening:
    """What is known when the first piece of a stream is about to leave."""

    request: ServingRequest
    version_digest: str
    policy_digest: str
    at: datetime


# A crisis reply is never charged, and neither is an answer that could not be given.
FREE = frozenset({Outcome.ESCALATE, Outcome.UNAVAILABLE, Outcome.REFUSED})


def open_stream(*, caller: KeyFacts, opening: Opening) -> None:
    """Say durably that a reply begins to leave, and count it, before any of it does.

    What has left cannot be taken back, so the quota is spent here and given back by
    ``close_request`` when the reply turns out to be free. Raises NotPermitted and
    QuotaExceeded like it.
    """
    actor = actor_for_key(caller)
    require(actor, "inference.add_inferencerecord")
    request = opening.request
    with transaction.atomic():
        record_event(
            actor=actor,
            event="inference.stream_opened",
            subject=Subject("inference.inferencerecord", str(request.id)),
            details={
                "model": request.model_name,
                "version_digest": opening.version_digest,
                "policy_digest": opening.policy_digest,
                "text_digest": text_digest(request.text),
            },
        )
        spend_quota(caller.family_id, caller.tier, opening.at)


def close_request(
    *,
    caller: KeyFacts,
    answer: Answer,
    outgoing: Outgoing,
    opening: Opening | None = None,
) -> InferenceRecord:
    """Write record, outcome, audit entry and quota, all or nothing.

    ``opening`` is that of a stream, whose quota is spent already.

    Raises NotPermitted without ``inference.add_inferencerecord``, QuotaExceeded when
    the caller's line has spent its day or month, IdempotencyInProgress when the claim
    was lost meanwhile.
    """
    actor = actor_for_key(caller)
    require(actor, "inference.add_inferencerecord")
    record = _record_of(caller, answer)
    # On SQLite one writer at a time: nothing is computed in here that need not be.
    with transaction.atomic():
        record.save(force_insert=True)
        keep_text(record, answer)
        if outgoing.claim is not None and answer.problem is None:
            outgoing.claim.store(outgoing.status, outgoing.body, record.subject)
        _audit(actor, record)
        if opening is not None and answer.outcome in FREE:
            give_back_quota(caller.family_id, opening.at)
        if opening is None and answer.outcome not in FREE:
            spend_quota(caller.family_id, caller.tier, record.created_at)
    return record


def _record_of(caller: KeyFacts, answer: Answer) -> InferenceRecord:
    request, routed, policy = answer.request, answer.routed, answer.policy
    version = routed.version if routed else None
    participant = request.participant_ref
    named = text_digest(participant) if participant else ""
    return InferenceRecord(
        id=request.id,
        request_id=current_request_id(),
        created_at=timezone.now(),
        api_key_id=caller.id,
        key_family_id=caller.family_id,
        api_key_label=f"{caller.label} ({caller.prefix})",
        model_name=request.model_name,
        version=str(version.number) if version else "",
        version_digest=version.digest if version else "",
        router_reason=routed.reason if routed else "",
        policy_name=policy.name if policy else "",
        policy_version=policy.version if policy else "",
        policy_digest=policy.digest if policy else "",
        jurisdiction=caller.jurisdiction,
        rules=rules_of(answer),
        was_disclosed=bool(answer.reply.notice),
        locale=request.locale,
        text_digest=text_digest(request.text),
        participant_digest=named,
        subject=subject_name(caller.family_id, named),
        verdicts={
            "input": _summaries(answer.input),
            "output": _summaries(answer.output),
        },
        gate_versions=_gate_versions(answer),
        decision=answer.outcome.value,
        source=answer.reply.source.value,
        problem_code=answer.problem.code if answer.problem else "",
        escalation_id=answer.escalation.id if answer.escalation else None,
        timings=dict(answer.timings),
        usage=dict(answer.usage),
    )


def _summaries(inspected: Inspected | None) -> dict[str, object]:
    if inspected is None:
        return {}
    return {verdict.gate: verdict_summary(verdict) for verdict in inspected.verdicts}


def _gate_versions(answer: Answer) -> dict[str, str]:
    stages = [stage for stage in (answer.input, answer.output) if stage]
    return {
        verdict.gate: verdict.gate_version
        for stage in stages
        for verdict in stage.verdicts
    }


def _audit(actor: Actor, record: InferenceRecord) -> None:
    record_event(
        actor=actor,
        event="inference.request_closed",
        subject=Subject("inference.inferencerecord", str(record.pk)),
        details={
            "decision": record.decision,
            "source": record.source,
            "model": record.model_name,
            "version_digest": record.version_digest,
            "policy_digest": record.policy_digest,
            "jurisdiction": record.jurisdiction,
            "rules": record.rules,
            "text_digest": record.text_digest,
            "escalation": str(record.escalation_id or ""),
            "problem": record.problem_code,
        },
    )
