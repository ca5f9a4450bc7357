"""From an Answer to the JSON that leaves, and to the status that goes with it.

Only ``Answer.reply`` contributes text here. A verdict is rendered as numbers, codes
and positions; what was inspected is not.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from apps.accounts.contracts import KeyFacts, QuotaState, RateState
from apps.core.problems import problem_body
from apps.inference.contracts import Answer, Inspected, Outcome, Reply, Source
from apps.inference.models import InferenceRecord
from apps.safety.contracts import Verdict
from apps.safety.policy import Contact
from apps.safety.rules import DISCLOSURE

OK = 200
SERVICE_UNAVAILABLE = 503


def status_of(answer: Answer) -> int:
    """200 for every decision of the gates, the problem's own status otherwise."""
    if answer.problem is None:
        return OK
    if answer.outcome is Outcome.REFUSED:
        return answer.problem.status
    return SERVICE_UNAVAILABLE


def render_answer(answer: Answer) -> dict[str, object]:
    """The response body; with a problem, the same members inside RFC 9457's."""
    members = _members(answer)
    problem = answer.problem
    if problem is None:
        return members
    return problem_body(
        code=problem.code,
        title=problem.title,
        status=status_of(answer),
        detail=problem.message,
        **{**problem.extra, **members},
    )


def _members(answer: Answer) -> dict[str, object]:
    policy, escalation = answer.policy, answer.escalation
    version = answer.routed.version if answer.routed else None
    return {
        "id": str(answer.request.id),
        "model": answer.request.model_name,
        "version": str(version.number) if version else None,
        "version_digest": version.digest if version else None,
        "policy": {
            "name": policy.name,
            "version": policy.version,
            "digest": policy.digest,
        }
        if policy
        else None,
        "decision": answer.outcome.value,
        "rules": rules_of(answer),
        "output": {
            "text": told_text(answer.reply),
            "source": answer.reply.source.value,
            "labels": dict(answer.reply.labels),
        },
        "verdicts": {
            "input": stage_verdicts(answer.input),
            "output": stage_verdicts(answer.output),
        },
        "escalation": {"id": escalation.id, "level": escalation.level}
        if escalation
        else None,
        "contacts": render_contacts(answer.reply.contacts),
        "usage": dict(answer.usage),
        "timings": dict(answer.timings),
    }


def told_text(reply: Reply) -> str:
    """The reply with its notice: before a model's words, after an approved text.

    A person in danger reads where help is before anything else.
    """
    if not reply.notice:
        return reply.text
    if reply.source is Source.FIXED:
        return f"{reply.text}\n\n{reply.notice}"
    return f"{reply.notice}\n\n{reply.text}"


def rules_of(answer: Answer) -> list[str]:
    """The codes of the policy's rules that spoke, each once."""
    stages = [stage for stage in (answer.input, answer.output) if stage]
    codes = [code for stage in stages for code in stage.rules]
    if answer.reply.notice:
        codes.append(DISCLOSURE)
    return list(dict.fromkeys(codes))


def render_contacts(contacts: Iterable[Contact]) -> list[dict[str, str]]:
    return [
        {"name": contact.name, "reach": contact.reach, "url": contact.url}
        for contact in contacts
    ]


def stage_verdicts(inspected: Inspected | None) -> dict[str, object]:
    """Verdicts by gate; empty for a stage that was not reached."""
    if inspected is None:
        return {}
    return {verdict.gate: _verdict(verdict) for verdict in inspected.verdicts}


def _verdict(verdict: Verdict) -> dict[str, object]:
    return {
        **verdict_summary(verdict),
        "spans": [[span.start, span.end, span.type] for span in verdict.spans],
    }


def verdict_summary(verdict: Verdict) -> dict[str, object]:
    """What is kept of a verdict: no positions, since they outline the text."""
    return {
        "decision": verdict.decision.slug,
        "score": verdict.score,
        "threshold": verdict.threshold,
        "reasons": list(verdict.reasons),
        "risk": verdict.risk.value if verdict.risk else None,
        "version": verdict.gate_version,
        "model_version": verdict.model_version,
        "failed": verdict.failed,
        "ms": round(verdict.elapsed_ms, 3),
    }


def render_record(record: InferenceRecord) -> dict[str, object]:
    """What was decided about an earlier request."""
    escalation_id = record.escalation_id
    return {
        "id": str(record.pk),
        "created_at": record.created_at.isoformat(),
        "model": record.model_name,
        "version": record.version,
        "version_digest": record.version_digest,
        "router_reason": record.router_reason,
        "policy": {
            "name": record.policy_name,
            "version": record.policy_version,
            "digest": record.policy_digest,
        },
        "jurisdiction": record.jurisdiction,
        "rules": record.rules,
        "decision": record.decision,
        "source": record.source,
        "problem": record.problem_code,
        "verdicts": record.verdicts,
        "escalation_id": str(escalation_id) if escalation_id else None,
        "usage": record.usage,
        "timings": record.timings,
    }


def render_key(
    caller: KeyFacts, rate: RateState | None, quotas: Sequence[QuotaState]
) -> dict[str, object]:
    """The key that asks, without anything secret."""
    tier, models = caller.tier, caller.tier.allowed_models
    return {
        "prefix": caller.prefix,
        "label": caller.label,
        "jurisdiction": caller.jurisdiction,
        "scopes": sorted(caller.scopes),
        "expires_at": caller.expires_at.isoformat() if caller.expires_at else None,
        "tier": {
            "name": tier.slug,
            "requests_per_second": tier.requests_per_second,
            "burst": tier.burst,
            "max_text_chars": tier.max_text_chars,
            "allowed_models": None if models is None else sorted(models),
        },
        "rate": {
            "limit": rate.limit,
            "remaining": rate.remaining,
            "reset_s": round(rate.reset_s, 3),
        }
        if rate
        else None,
        "quotas": [
            {
                "period": quota.period,
                "limit": quota.limit,
                "used": quota.used,
                "remaining": quota.remaining,
                "reset_s": round(quota.reset_s, 3),
            }
            for quota in quotas
        ],
    }
