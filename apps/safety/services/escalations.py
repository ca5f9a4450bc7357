"""Opening crisis cases and moving them to an end; the only writer of their tables.

The row, its first step and its audit entry commit together. Notifying follows the
commit; when that message is lost, the sweep finds the row from the database.
"""

from __future__ import annotations

import logging
import uuid
from collections.abc import Sequence
from datetime import datetime, timedelta

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils import timezone

from apps.accounts.models import User
from apps.accounts.permissions import acting_user, actor_for_user, require
from apps.audit.services import record_event
from apps.core.actors import Actor, Subject
from apps.core.digests import keyed_digest
from apps.core.errors import InvalidInput, NotFound, NotPermitted
from apps.safety.contracts import RiskLevel
from apps.safety.errors import EscalationState
from apps.safety.models import Escalation, EscalationStep
from apps.safety.policy import Policy
from apps.safety.selectors import overdue_escalations

LABEL = "safety.escalation"
_SWEEP_LIMIT = 500
_AUDIENCES = ("on_call", "next_responder", "everyone")
State = Escalation.State
Kind = EscalationStep.Kind
logger = logging.getLogger(__name__)


def text_digest(text: str) -> str:
    """A keyed digest that names a text without telling it; total over any ``str``."""
    key = str(settings.PE_TEXT_DIGEST_KEY).encode()
    return keyed_digest(key, text.encode("utf-8", "surrogatepass"))


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
    ``text_digest``; no text is accepted here.
    """
    require(actor, "safety.open_escalation")
    now = timezone.now()
    try:
        with transaction.atomic():
            row = Escalation.objects.create(
                correlation_id=correlation_id,
                level=level.value,
                locale=locale[:20],
                reasons=list(reasons),
                text_digest=digest,
                policy_digest=policy.digest,
                opened_at=now,
                due_at=now + timedelta(minutes=policy.minutes_to_acknowledge(level)),
            )
            _step(actor, row, Kind.OPENED, minutes=policy.minutes_to_acknowledge(level))
            _record(actor, "safety.escalation_opened", row, level=level.value)
            _notify_after_commit(row)
    except IntegrityError:
        known = Escalation.objects.filter(correlation_id=correlation_id).first()
        if known is None:
            raise
        return known
    return row


def acknowledge_escalation(*, actor: Actor, escalation_id: str) -> Escalation:
    """Take an open case; EscalationState when somebody else was first."""
    require(actor, "safety.acknowledge_escalation")
    user = acting_user(actor)
    with transaction.atomic():
        row = _locked(escalation_id)
        _move(
            row,
            State.OPEN,
            state=State.ACKNOWLEDGED,
            acknowledged_by=user,
            acknowledged_at=timezone.now(),
            assigned_to=user,
        )
        _step(actor, row, Kind.ACKNOWLEDGED)
        _record(actor, "safety.escalation_acknowledged", row)
    return row


def reassign_escalation(
    *, actor: Actor, escalation_id: str, responder_id: str
) -> Escalation:
    """Hand an unresolved case to another person who may answer escalations."""
    require(actor, "safety.reassign_escalation")
    responder = _responder(responder_id)
    with transaction.atomic():
        row = _locked(escalation_id)
        if row.state == State.RESOLVED:
            raise EscalationState("This escalation is resolved.")
        Escalation.objects.filter(pk=row.pk).update(assigned_to=responder)
        row.refresh_from_db()
        _step(actor, row, Kind.REASSIGNED, to=str(responder.pk))
        _record(actor, "safety.escalation_reassigned", row, to=str(responder.pk))
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
        row = _locked(escalation_id)
        _move(
            row,
            State.ACKNOWLEDGED,
            state=State.RESOLVED,
            resolved_by=user,
            resolved_at=timezone.now(),
            disposition=disposition,
        )
        _step(actor, row, Kind.RESOLVED, disposition=disposition)
        _record(actor, "safety.escalation_resolved", row, disposition=disposition)
    return row


def sweep_overdue_escalations(*, actor: Actor) -> int:
    """Move each overdue case one rung up and notify again; how many were moved.

    Reads the database, so it also finds cases whose notification was lost. Safe to run
    twice: a case is moved by a conditional update.
    """
    require(actor, "safety.sweep_escalation")
    due = list(overdue_escalations(timezone.now())[:_SWEEP_LIMIT])
    return sum(_raise_rung(actor, row) for row in due)


def _raise_rung(actor: Actor, row: Escalation) -> bool:
    allowed = max(timedelta(minutes=1), row.due_at - _last_raised_at(row))
    with transaction.atomic():
        moved = Escalation.objects.filter(
            pk=row.pk, state=State.OPEN, rung=row.rung
        ).update(rung=row.rung + 1, due_at=timezone.now() + allowed)
        if moved != 1:
            return False
        row.refresh_from_db()
        _step(actor, row, Kind.OVERDUE, audience=audience(row.rung))
        _record(actor, "safety.escalation_overdue", row, rung=row.rung)
        _notify_after_commit(row)
    return True


def _last_raised_at(row: Escalation) -> datetime:
    steps = row.steps.filter(kind__in=[Kind.OPENED, Kind.OVERDUE]).order_by("-at")
    last = steps.first()
    return row.opened_at if last is None else last.at


def notify_escalation(*, actor: Actor, escalation_id: str, rung: int) -> bool:
    """Tell the rung's audience, by identifier only; False when it was told before.

    This slice's channel is the structured log; real channels replace it.
    """
    require(actor, "safety.sweep_escalation")
    try:
        with transaction.atomic():
            row = _locked(escalation_id)
            if row.state != State.OPEN:
                return False
            _step(actor, row, Kind.NOTIFIED, rung=rung, audience=audience(rung))
            _record(actor, "safety.escalation_notified", row, rung=rung)
    except IntegrityError:
        return False
    logger.warning(
        "escalation_notified",
        extra={
            "escalation_id": str(row.pk),
            "level": row.level,
            "audience": audience(rung),
        },
    )
    return True


def audience(rung: int) -> str:
    """Who is told on a rung: on call, the next responder, then everyone."""
    return _AUDIENCES[min(rung, len(_AUDIENCES) - 1)]


def _notify_after_commit(row: Escalation) -> None:
    """Send the notice once the case is durable; a broker that is down only delays."""
    from apps.safety.tasks import notify

    escalation_id, rung = str(row.pk), row.rung
    transaction.on_commit(lambda: notify.delay(escalation_id, rung), robust=True)


def _responder(responder_id: str) -> User:
    try:
        user = User.objects.get(pk=responder_id)
        require(actor_for_user(user), "safety.acknowledge_escalation")
    except (User.DoesNotExist, ValueError, NotPermitted) as error:
        raise InvalidInput("This person does not answer escalations.") from error
    return user


def _locked(escalation_id: str) -> Escalation:
    try:
        return Escalation.objects.select_for_update().get(pk=escalation_id)
    except (Escalation.DoesNotExist, ValueError) as error:
        raise NotFound("There is no such escalation.") from error


def _move(row: Escalation, before: State, **facts: object) -> None:
    if Escalation.objects.filter(pk=row.pk, state=before).update(**facts) != 1:
        raise EscalationState(
            f"This escalation is {row.get_state_display().lower()}; the step needs one "
            f"that is {before.label.lower()}."
        )
    row.refresh_from_db()


def _step(
    actor: Actor,
    row: Escalation,
    kind: Kind,
    *,
    rung: int | None = None,
    **details: object,
) -> None:
    EscalationStep.objects.create(
        escalation=row,
        kind=kind,
        rung=row.rung if rung is None else rung,
        at=timezone.now(),
        actor_kind=actor.kind.value,
        actor_id=actor.id,
        actor_label=actor.label,
        details=details,
    )


def _record(actor: Actor, event: str, row: Escalation, **details: object) -> None:
    record_event(
        actor=actor,
        event=event,
        subject=Subject(LABEL, str(row.pk), row.text_digest),
        details={"correlation_id": str(row.correlation_id), **details},
    )
