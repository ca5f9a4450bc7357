"""The words of a kept text that moved each gate's score, for who may read them.

Shown once and stored nowhere; each look is an audit entry that commits before a word
is shown.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from apps.accounts.permissions import require
from apps.audit.services import record_event
from apps.core.actors import Actor, Subject
from apps.inference.errors import NoPolicyInForce
from apps.inference.kept_text import Words, open_text
from apps.inference.models import InferenceRecord
from apps.inference.parts import policy_or_shipped
from apps.inference.replaying import LABEL
from apps.safety.assembly import runner_for
from apps.safety.contracts import Inspection, Stage
from apps.safety.explaining import explain_gate
from apps.safety.pipeline import GateRunner


@dataclass(frozen=True, slots=True)
class MovingWords:
    """Words of the text or of the reply, and what they add to a gate's score."""

    stage: Stage
    gate: str
    words: str = field(repr=False)
    by: float


def explain_request(*, actor: Actor, record: InferenceRecord) -> list[MovingWords]:
    """The words that move each score under today's gates and policy.

    Raises NotPermitted without ``inference.read_kepttext``; TextNotKept or
    KeptTextUnreadable when there are none; NoPolicyInForce.
    """
    require(actor, "inference.read_kepttext")
    words = open_text(record)
    policy, is_in_force = policy_or_shipped(record.jurisdiction)
    if not is_in_force:
        raise NoPolicyInForce("No approved safety policy is in force.")
    record_event(
        actor=actor,
        event="inference.words_read",
        subject=Subject(LABEL, str(record.pk)),
        details={"policy_digest": policy.digest},
    )
    runner = runner_for(policy)
    return [
        moving
        for inspection in _inspections(record, words)
        for moving in _moving(runner, inspection)
    ]


def _inspections(record: InferenceRecord, words: Words) -> Iterator[Inspection]:
    yield Inspection(words.text, Stage.INPUT, record.locale, words.context)
    if words.reply is not None:
        context = (*words.context, words.text)
        yield Inspection(words.reply, Stage.OUTPUT, record.locale, context)


def _moving(runner: GateRunner, inspection: Inspection) -> Iterator[MovingWords]:
    for gate in runner.gates:
        if inspection.stage not in gate.stages:
            continue
        thresholds = runner.policy.thresholds(gate.name, inspection.stage)
        for one in explain_gate(gate, inspection, thresholds):
            said = inspection.text[one.start : one.end]
            yield MovingWords(inspection.stage, gate.name, said, one.by)
