"""The queue of disagreements between gates and judges: filled, reviewed, exported."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator, Sequence

from django.db import DatabaseError, transaction
from django.utils import timezone

from apps.accounts.permissions import acting_user, require
from apps.audit.services import record_event
from apps.core.actors import Actor, Subject
from apps.core.errors import InvalidInput, NotFound, StateConflict
from apps.safety.judges.contracts import Disagreement
from apps.safety.judges.counting import QUEUE_FAILURES
from apps.safety.models import JudgeDisagreement

logger = logging.getLogger(__name__)
LABEL = "safety.judgedisagreement"
_EXPORTED = (
    "id", "found_at", "gate", "gate_decision", "gate_score", "judge", "judge_version",
    "judge_score", "distance", "stage", "locale", "text_digest", "policy_digest",
    "state", "outcome", "reviewed_at",
)  # fmt: skip


def queue_disagreements(found: Sequence[Disagreement]) -> None:
    """One row a gate, judge and text; asked again, the same text adds none.

    A database that does not take them costs the rows, never the answer: nobody's
    safety waits for this queue. What is lost is counted.
    """
    rows = [_row(one) for one in found]
    try:
        with transaction.atomic():
            JudgeDisagreement.objects.bulk_create(rows, ignore_conflicts=True)
    except DatabaseError as error:
        QUEUE_FAILURES.inc(len(rows))
        logger.error("Disagreements lost", extra={"code": type(error).__name__})


def _row(one: Disagreement) -> JudgeDisagreement:
    return JudgeDisagreement(
        gate=one.gate,
        judge=one.judge,
        judge_version=one.judge_version,
        stage=one.stage.value,
        locale=one.locale[:35],
        gate_decision=one.gate_decision.slug,
        gate_score=one.gate_score,
        judge_score=one.judge_score,
        distance=round(abs(one.judge_score - one.gate_score), 6),
        text_digest=one.text_digest,
        policy_digest=one.policy_digest,
        found_at=timezone.now(),
    )


def review_disagreement(
    *, actor: Actor, disagreement_id: str, outcome: str
) -> JudgeDisagreement:
    """Label a row with who was right.

    Raises NotPermitted without ``safety.review_judgedisagreement`` and for programs,
    InvalidInput for another outcome, NotFound, StateConflict when it was reviewed.
    """
    require(actor, "safety.review_judgedisagreement")
    user = acting_user(actor)
    if outcome not in JudgeDisagreement.Outcome.values:
        raise InvalidInput(
            f"outcome is one of {', '.join(JudgeDisagreement.Outcome.values)}"
        )
    with transaction.atomic():
        done = JudgeDisagreement.objects.filter(
            pk=disagreement_id, state=JudgeDisagreement.State.OPEN
        ).update(
            state=JudgeDisagreement.State.REVIEWED,
            outcome=outcome,
            reviewed_by=user,
            reviewed_at=timezone.now(),
        )
        row = JudgeDisagreement.objects.filter(pk=disagreement_id).first()
        if row is None:
            raise NotFound("There is no such disagreement.")
        if done != 1:
            raise StateConflict("Somebody has reviewed this already.")
        record_event(
            actor=actor,
            event="safety.disagreement_reviewed",
            subject=Subject(LABEL, str(row.pk)),
            details={"outcome": outcome, "gate": row.gate, "judge": row.judge},
        )
    return row


def export_disagreements(*, actor: Actor) -> Iterator[str]:
    """JSON lines of the whole queue, oldest first, after the export was recorded.

    Raises NotPermitted without ``safety.export_judgedisagreement``.
    """
    require(actor, "safety.export_judgedisagreement")
    with transaction.atomic():
        count = JudgeDisagreement.objects.count()
        record_event(
            actor=actor,
            event="safety.disagreements_exported",
            subject=Subject(LABEL, "*"),
            details={"rows": count},
        )
    return _lines()


def _lines() -> Iterator[str]:
    rows = JudgeDisagreement.objects.order_by("found_at", "id").values(*_EXPORTED)
    for row in rows.iterator(chunk_size=500):
        for name in ("found_at", "reviewed_at"):
            row[name] = row[name].isoformat() if row[name] else None
        yield json.dumps({**row, "id": str(row["id"])})
