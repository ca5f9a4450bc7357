"""Steps that every service on cases shares: lock, move, note, record, send on.

Nothing here checks permission or opens a transaction; the services do both.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import transaction
from django.utils import timezone

from apps.audit.services import record_event
from apps.core.actors import Actor, Subject
from apps.core.errors import NotFound
from apps.safety.errors import EscalationState
from apps.safety.models import Escalation, EscalationStep

LABEL = "safety.escalation"
_AUDIENCES = ("on_call", "next_responder", "everyone")
State = Escalation.State
Kind = EscalationStep.Kind


def audience(rung: int) -> str:
    """Who is told on a rung: on call, the next responder, then everyone."""
    return _AUDIENCES[min(rung, len(_AUDIENCES) - 1)]


def is_last_rung(rung: int) -> bool:
    """Whether everyone is told already."""
    return rung >= len(_AUDIENCES) - 1


def raise_rung(actor: Actor, row: Escalation, *, why: str) -> bool:
    """Move an open case to the next audience; False when somebody moved it first."""
    allowed = max(timedelta(minutes=1), row.due_at - _last_raised_at(row))
    with transaction.atomic():
        moved = Escalation.objects.filter(
            pk=row.pk, state=State.OPEN, rung=row.rung
        ).update(rung=row.rung + 1, due_at=timezone.now() + allowed)
        if moved != 1:
            return False
        row.refresh_from_db()
        note_step(actor, row, Kind.OVERDUE, audience=audience(row.rung), why=why)
        record_case(actor, "safety.escalation_overdue", row, rung=row.rung, why=why)
        notify_after_commit(row)
    return True


def _last_raised_at(row: Escalation) -> datetime:
    steps = row.steps.filter(kind__in=[Kind.OPENED, Kind.OVERDUE]).order_by("-at")
    last = steps.first()
    return row.opened_at if last is None else last.at


def notify_after_commit(row: Escalation) -> None:
    """Send the notice once the case is durable; a broker that is down only delays."""
    from apps.safety.tasks import notify

    escalation_id, rung = str(row.pk), row.rung
    transaction.on_commit(lambda: notify.delay(escalation_id, rung), robust=True)


def locked_case(escalation_id: str) -> Escalation:
    try:
        return Escalation.objects.select_for_update().get(pk=escalation_id)
    except (Escalation.DoesNotExist, ValueError) as error:
        raise NotFound("There is no such escalation.") from error


def move_case(row: Escalation, before: State, **facts: object) -> None:
    if Escalation.objects.filter(pk=row.pk, state=before).update(**facts) != 1:
        raise EscalationState(
            f"This escalation is {row.get_state_display().lower()}; the step needs one "
            f"that is {before.label.lower()}."
        )
    row.refresh_from_db()


def note_step(
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


def record_case(actor: Actor, event: str, row: Escalation, **details: object) -> None:
    record_event(
        actor=actor,
        event=event,
        subject=Subject(LABEL, str(row.pk), row.text_digest),
        details={"correlation_id": str(row.correlation_id), **details},
    )
