"""Opening crisis cases and moving them to an end; the only writer of their tables.

The row, its first step and its audit entry commit together. Notifying follows the
commit; when that message is lost, the sweep finds the row from the database.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import timedelta

from django.db import IntegrityError, transaction
from django.utils import timezone

from apps.accounts.models import User
from apps.accounts.permissions import acting_user, actor_for_user, require
from apps.core.actors import Actor
from apps.core.errors import InvalidInput, NotPermitted
from apps.safety.cases import CaseFacts
from apps.safety.contracts import RiskLevel
from apps.safety.errors import EscalationState
from apps.safety.models import Escalation, EscalationStep
from apps.safety.policy import Policy
from apps.safety.services.casework import (
    locked_case,
    move_case,
    note_step,
    notify_after_commit,
    record_case,
)
from apps.safety.services.notifications import plan_for_responder
from apps.safety.services.texts import keep_text

State = Escalation.State
Kind = EscalationStep.Kind


def open_escalation(
    *,
    actor: Actor,
    correlation_id: uuid.UUID,
    level: RiskLevel,
    locale: str,
    reasons: Sequence[str],
    digest: str,
    policy: Policy,
) -> Escalation:
    """The case for a request, durable before anything is answered.

    Repeated for the same request it returns the case that is there. ``digest`` is a
    ``text_digest``; a case opened this way keeps no text.
    """
    facts = CaseFacts(
        correlation_id=correlation_id,
        level=level,
        locale=locale,
        reasons=tuple(reasons),
        digest=digest,
        policy_digest=policy.digest,
        minutes=policy.minutes_to_acknowledge(level),
        happened_at=timezone.now(),
    )
    return open_case(actor=actor, facts=facts)


def open_case(*, actor: Actor, facts: CaseFacts) -> Escalation:
    """The case of these facts, with its text sealed; the one that is there if any.

    A case that waited for the database is due when it was due: its clock started when
    the risk was seen.
    """
    require(actor, "safety.open_escalation")
    opened_at = min(facts.happened_at, timezone.now())
    try:
        with transaction.atomic():
            row = Escalation.objects.create(
                correlation_id=facts.correlation_id,
                level=facts.level.value,
                locale=facts.locale[:20],
                reasons=list(facts.reasons),
                text_digest=facts.digest,
                subject=facts.subject,
                policy_digest=facts.policy_digest,
                opened_at=opened_at,
                due_at=opened_at + timedelta(minutes=facts.minutes),
            )
            note_step(actor, row, Kind.OPENED, minutes=facts.minutes)
            record_case(actor, "safety.escalation_opened", row, level=facts.level.value)
            keep_text(row, facts.text)
            notify_after_commit(row)
    except IntegrityError:
        known = Escalation.objects.filter(correlation_id=facts.correlation_id).first()
        if known is None:
            raise
        return known
    return row


def acknowledge_escalation(*, actor: Actor, escalation_id: str) -> Escalation:
    """Take an open case; EscalationState when somebody else was first."""
    require(actor, "safety.acknowledge_escalation")
    user = acting_user(actor)
    with transaction.atomic():
        row = locked_case(escalation_id)
        move_case(
            row,
            State.OPEN,
            state=State.ACKNOWLEDGED,
            acknowledged_by=user,
            acknowledged_at=timezone.now(),
            assigned_to=user,
        )
        note_step(actor, row, Kind.ACKNOWLEDGED)
        record_case(actor, "safety.escalation_acknowledged", row)
    return row


def reassign_escalation(
    *, actor: Actor, escalation_id: str, responder_id: str
) -> Escalation:
    """Hand an unresolved case to another person who may answer escalations.

    An open case is told to that person too, by the next sweep.
    """
    require(actor, "safety.reassign_escalation")
    responder = _responder(responder_id)
    with transaction.atomic():
        row = locked_case(escalation_id)
        if row.state == State.RESOLVED:
            raise EscalationState("This escalation is resolved.")
        Escalation.objects.filter(pk=row.pk).update(assigned_to=responder)
        row.refresh_from_db()
        note_step(actor, row, Kind.REASSIGNED, to=str(responder.pk))
        plan_for_responder(row, responder)
        record_case(actor, "safety.escalation_reassigned", row, to=str(responder.pk))
    return row


def resolve_escalation(
    *, actor: Actor, escalation_id: str, disposition: str
) -> Escalation:
    """Close an acknowledged case with how it ended (an Escalation.Disposition)."""
    require(actor, "safety.resolve_escalation")
    user = acting_user(actor)
    if disposition not in Escalation.Disposition.values:
        known = ", ".join(Escalation.Disposition.values)
        raise InvalidInput(f"A disposition is one of: {known}.")
    with transaction.atomic():
        row = locked_case(escalation_id)
        move_case(
            row,
            State.ACKNOWLEDGED,
            state=State.RESOLVED,
            resolved_by=user,
            resolved_at=timezone.now(),
            disposition=disposition,
        )
        note_step(actor, row, Kind.RESOLVED, disposition=disposition)
        record_case(actor, "safety.escalation_resolved", row, disposition=disposition)
    return row


def _responder(responder_id: str) -> User:
    try:
        user = User.objects.get(pk=responder_id)
        require(actor_for_user(user), "safety.acknowledge_escalation")
    except (User.DoesNotExist, ValueError, NotPermitted) as error:
        raise InvalidInput("This person does not answer escalations.") from error
    return user
