"""Our gates in OpenAI's moderation schema: numbers about texts, never a text.

Nothing is answered to a person here, so no case is opened: a message that needs an
answer belongs to a chat. What was judged is audited by keyed digests. A gate that
failed flags its text: a missing answer is never a pass.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.utils import timezone

from apps.accounts.contracts import KeyFacts
from apps.accounts.permissions import actor_for_key, require
from apps.accounts.quotas import spend_quota
from apps.audit.services import record_event
from apps.core.actors import Subject
from apps.inference.contracts import Guard, Inspected, ServingRequest
from apps.inference.errors import InvalidParameter, NoPolicyInForce, TextTooLong
from apps.inference.openai.parsing import own_members
from apps.inference.parsing import DEFAULT_LOCALE, LOCALE, Limits
from apps.safety.assembly import head_scores
from apps.safety.contracts import Decision, RiskLevel, Stage, Verdict
from apps.safety.services import text_digest

MOST_TEXTS = 32
FLAGGED_FROM = 0.5
OWN = {"locale": LOCALE.pattern, "stage": "input|output"}
FIELDS = frozenset({"input", "model", "pe"})
# OpenAI's category, the classifier head behind it, and the reason that flags it.
TOXIC: dict[str, tuple[str, str]] = {
    "harassment": ("insult", "toxicity.insult"),
    "harassment/threatening": ("threat", "toxicity.threat"),
    "hate": ("hate", "toxicity.hate"),
    "sexual": ("sexual", "toxicity.sexual"),
    "violence": ("violence", "toxicity.violence"),
}
# Nothing here measures these; the schema asks for a value all the same.
UNMEASURED = (
    "illicit", "illicit/violent", "self-harm/instructions", "sexual/minors",
    "violence/graphic",
)  # fmt: skip
HIGH_RISKS = frozenset({RiskLevel.HIGH, RiskLevel.IMMINENT})


@dataclass(frozen=True, slots=True)
class ModerationAsked:
    """``stage`` says whose words these are: a participant's, or a model's."""

    id: uuid.UUID
    texts: tuple[str, ...]
    locale: str
    stage: Stage


@dataclass(frozen=True, slots=True)
class Judged:
    """One text's categories: scores in [0, 1] by name, and which are flagged."""

    inspected: Inspected
    scores: Mapping[str, float]
    flagged: frozenset[str]

    @property
    def has_failed(self) -> bool:
        return any(verdict.failed for verdict in self.inspected.verdicts)


# Any: a JSON value of unknown shape, narrowed below.
def read_moderation(value: Any, limits: Limits) -> ModerationAsked:
    """The validated request. Raises InvalidParameter or TextTooLong."""
    if not isinstance(value, dict):
        raise InvalidParameter("The body has to be a JSON object.")
    if not value.keys() <= FIELDS:
        raise InvalidParameter(f"The body may hold {', '.join(sorted(FIELDS))}.")
    own = own_members(value, OWN)
    given = value.get("input")
    texts = given if isinstance(given, list) else [given]
    found = tuple(_text(one, limits) for one in texts)
    if not 1 <= len(found) <= MOST_TEXTS:
        raise InvalidParameter(f"input holds 1 to {MOST_TEXTS} texts.", "input")
    stage = Stage(own.get("stage", Stage.INPUT.value))
    locale = own.get("locale", DEFAULT_LOCALE)
    return ModerationAsked(uuid.uuid4(), found, locale, stage)


def _text(one: Any, limits: Limits) -> str:
    if isinstance(one, dict) and one.get("type") == "text":
        one = one.get("text")
    if not isinstance(one, str):
        raise InvalidParameter("input is a text or a list of texts.", "input")
    if len(one) > limits.text_chars:
        raise TextTooLong(
            f"A text may hold {limits.text_chars} characters.",
            extra={"limit_chars": limits.text_chars, "param": "input"},
        )
    return one


def judge(asked: ModerationAsked, guard: Guard) -> list[Judged]:
    """Every text through the gates of its stage; NoPolicyInForce without a policy."""
    if guard.policy is None:
        raise NoPolicyInForce("No approved safety policy is in force.")
    return [_judged(asked, guard, text) for text in asked.texts]


def _judged(asked: ModerationAsked, guard: Guard, text: str) -> Judged:
    request = ServingRequest(id=asked.id, model_name="", text=text, locale=asked.locale)
    if asked.stage is Stage.INPUT:
        inspected = guard.inspect_input(request)
    else:
        inspected = guard.inspect_output(_unasked(request), text)
    heads = head_scores(text)
    verdicts = {verdict.gate: verdict for verdict in inspected.verdicts}
    toxicity, crisis = verdicts["toxicity"], verdicts["crisis"]
    flagged = {
        name for name, (_, reason) in TOXIC.items() if reason in toxicity.reasons
    }
    if {"hate", "harassment/threatening"} <= flagged:
        flagged.add("hate/threatening")
    if crisis.decision is Decision.ESCALATE:
        flagged.add("self-harm")
        if inspected.risk in HIGH_RISKS:
            flagged.add("self-harm/intent")
    scores = _scores(heads, crisis)
    # Phrases flag what the classifier alone would miss: who reads scores sees it too.
    raised = {name: max(scores[name], FLAGGED_FROM) for name in flagged}
    return Judged(inspected, {**scores, **raised}, frozenset(flagged))


def _unasked(request: ServingRequest) -> ServingRequest:
    """A model's words without the message they answer: nobody sent it."""
    return ServingRequest(id=request.id, model_name="", text="", locale=request.locale)


def _scores(heads: Mapping[str, float], crisis: Verdict) -> dict[str, float]:
    return {
        **{name: heads[head] for name, (head, _) in TOXIC.items()},
        "hate/threatening": min(heads["hate"], heads["threat"]),
        "self-harm": max(heads["crisis"], crisis.score or 0.0),
        "self-harm/intent": heads["crisis_high"],
        **dict.fromkeys(UNMEASURED, 0.0),
    }


def render_moderation(
    asked: ModerationAsked, guard: Guard, judged: list[Judged]
) -> dict[str, object]:
    """OpenAI's moderation object; verdicts of all gates stand under ``pe``."""
    policy = guard.policy
    return {
        "id": f"modr-{asked.id}",
        "model": f"{policy.name}@{policy.version}" if policy else "",
        "results": [_result(one) for one in judged],
    }


def _result(one: Judged) -> dict[str, object]:
    names = sorted(one.scores)
    return {
        "flagged": bool(one.flagged) or one.has_failed,
        "categories": {name: name in one.flagged for name in names},
        "category_scores": {name: round(one.scores[name], 6) for name in names},
        "category_applied_input_types": {
            name: [] if name in UNMEASURED else ["text"] for name in names
        },
        "pe": {
            "decision": one.inspected.decision.slug,
            "risk": one.inspected.risk.value,
            "rules": list(one.inspected.rules),
            "gates": {
                verdict.gate: {
                    "decision": verdict.decision.slug,
                    "score": verdict.score,
                    "reasons": list(verdict.reasons),
                    "failed": verdict.failed,
                }
                for verdict in one.inspected.verdicts
            },
        },
    }


@transaction.atomic
def close_moderation(
    *, caller: KeyFacts, asked: ModerationAsked, guard: Guard, judged: list[Judged]
) -> None:
    """Audit what was judged and count each text; QuotaExceeded when they are spent."""
    actor = actor_for_key(caller)
    require(actor, "inference.add_inferencerecord")
    record_event(
        actor=actor,
        event="inference.texts_moderated",
        subject=Subject("inference.moderation", str(asked.id)),
        details={
            "stage": asked.stage.value,
            "policy_digest": guard.policy.digest if guard.policy else "",
            "text_digests": [text_digest(text) for text in asked.texts],
            "decisions": [one.inspected.decision.slug for one in judged],
            "flagged": [sorted(one.flagged) for one in judged],
        },
    )
    spend_quota(caller.family_id, caller.tier, timezone.now(), len(asked.texts))
