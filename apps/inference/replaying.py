"""Deciding a closed request again with today's gates and policy, to see what differs.

It writes one audit entry and nothing else: no record, no case, no quota, no model is
asked. What it gives back holds numbers and codes, never the words.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass

from apps.accounts.permissions import require
from apps.audit.services import record_event
from apps.core.actors import Actor, Subject
from apps.core.errors import NotFound
from apps.inference.contracts import Guard, Inspected, PolicyFacts, ServingRequest
from apps.inference.errors import NoPolicyInForce
from apps.inference.kept_text import Words, open_text
from apps.inference.models import InferenceRecord
from apps.inference.parts import policy_or_shipped, ready_guard
from apps.inference.rendering import verdict_summary
from apps.safety.contracts import Decision, Stage

LABEL = "inference.inferencerecord"
# How long a gate took says nothing about what it decided.
_NOT_COMPARED = frozenset({"ms"})
_DEADLINE_MS = 60_000.0

Summary = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class GateChange:
    """One gate's verdict then and now; None where it gave none.

    ``differs`` names the members of the summaries that are not the same.
    """

    stage: Stage
    gate: str
    then: Summary | None
    now: Summary | None
    differs: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Replay:
    """``model_would_be_asked``: the input passes today and no reply was kept, so the
    decision now is that of the input alone."""

    record_id: uuid.UUID
    then_decision: str
    now_decision: str
    then_policy: PolicyFacts
    now_policy: PolicyFacts
    changes: tuple[GateChange, ...]
    model_would_be_asked: bool

    @property
    def is_same(self) -> bool:
        return (
            self.then_decision == self.now_decision
            and self.then_policy == self.now_policy
            and not any(change.differs for change in self.changes)
        )


def record_to_replay(record_id: str) -> InferenceRecord:
    """The record of an id as people give it; NotFound when there is none."""
    try:
        return InferenceRecord.objects.get(pk=uuid.UUID(record_id))
    except (InferenceRecord.DoesNotExist, ValueError) as error:
        raise NotFound("There is no request with that id.") from error


def replay_request(*, actor: Actor, record: InferenceRecord) -> Replay:
    """What today's gates and policy make of a stored request.

    Raises NotPermitted without ``inference.replay_inferencerecord``; TextNotKept or
    KeptTextUnreadable when there is nothing to decide on; NoPolicyInForce.
    """
    require(actor, "inference.replay_inferencerecord")
    words = open_text(record)
    guard = guard_today(record)
    replay = _compare(record, words, guard)
    record_event(
        actor=actor,
        event="inference.request_replayed",
        subject=Subject(LABEL, str(record.pk)),
        details={
            "then": replay.then_decision,
            "now": replay.now_decision,
            "same": replay.is_same,
            "policy_digest": replay.now_policy.digest,
        },
    )
    return replay


def guard_today(record: InferenceRecord) -> Guard:
    """The gates under the policy that would decide this request today."""
    policy, is_in_force = policy_or_shipped(record.jurisdiction)
    if not is_in_force:
        raise NoPolicyInForce("No approved safety policy is in force.")
    return ready_guard(policy, is_in_force)


def _compare(record: InferenceRecord, words: Words, guard: Guard) -> Replay:
    asked = asked_again(record, words)
    found = guard.inspect_input(asked)
    reply = words.reply
    output = None if reply is None else guard.inspect_output(asked, reply)
    passes = found.decision in (Decision.ALLOW, Decision.MASK)
    decided = max(found.decision, output.decision) if output and passes else None
    now_policy = guard.policy or PolicyFacts("", "", "")
    return Replay(
        record_id=record.pk,
        then_decision=record.decision,
        now_decision=(found.decision if decided is None else decided).slug,
        then_policy=PolicyFacts(
            record.policy_name, record.policy_version, record.policy_digest
        ),
        now_policy=now_policy,
        changes=(
            *_changes(Stage.INPUT, record, found),
            *_changes(Stage.OUTPUT, record, output),
        ),
        model_would_be_asked=passes and output is None,
    )


def asked_again(record: InferenceRecord, words: Words) -> ServingRequest:
    """The request as it was accepted, without the name of its participant."""
    return ServingRequest(
        id=record.pk,
        model_name=record.model_name,
        text=words.text,
        context=words.context,
        locale=record.locale,
        deadline_ms=_DEADLINE_MS,
    )


def _changes(
    stage: Stage, record: InferenceRecord, found: Inspected | None
) -> list[GateChange]:
    then: Mapping[str, Summary] = record.verdicts.get(stage.value) or {}
    verdicts = found.verdicts if found else ()
    now = {verdict.gate: verdict_summary(verdict) for verdict in verdicts}
    return [
        _change(stage, gate, then.get(gate), now.get(gate))
        for gate in dict.fromkeys((*now, *then))
    ]


def _change(
    stage: Stage, gate: str, then: Summary | None, now: Summary | None
) -> GateChange:
    before, after = then or {}, now or {}
    differs = tuple(
        name
        for name in dict.fromkeys((*before, *after))
        if name not in _NOT_COMPARED and before.get(name) != after.get(name)
    )
    return GateChange(stage, gate, then, now, differs)


def render_replay(replay: Replay) -> dict[str, object]:
    """A replay as JSON values."""
    return {
        "id": str(replay.record_id),
        "same": replay.is_same,
        "then": _decided(replay.then_decision, replay.then_policy),
        "now": _decided(replay.now_decision, replay.now_policy),
        "model_would_be_asked": replay.model_would_be_asked,
        "gates": [
            {
                "stage": change.stage.value,
                "gate": change.gate,
                "differs": list(change.differs),
                "then": change.then and dict(change.then),
                "now": change.now and dict(change.now),
            }
            for change in replay.changes
        ],
    }


def _decided(decision: str, policy: PolicyFacts) -> dict[str, object]:
    facts = {"name": policy.name, "version": policy.version, "digest": policy.digest}
    return {"decision": decision, "policy": facts}
