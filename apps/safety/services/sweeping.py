"""The sweep: everything about cases that time, a crash or a lost message left undone.

It reads the database and the spool, trusts no message, and may run in several processes
at once: whatever it does is a conditional update or meets a constraint.
"""

from __future__ import annotations

from datetime import timedelta

from django.utils import timezone

from apps.accounts.permissions import require
from apps.core.actors import Actor
from apps.safety.selectors import overdue_escalations, untold_escalations
from apps.safety.services.casework import raise_rung
from apps.safety.services.notifications import deliver_notifications, notify_escalation
from apps.safety.services.spooled import open_spooled_cases
from apps.safety.services.texts import forget_expired_texts

_SWEEP_LIMIT = 500
# How long the message that follows a commit may take before the sweep does its work.
MESSAGE_GRACE = timedelta(seconds=30)


def sweep_overdue_escalations(*, actor: Actor) -> int:
    """Move each overdue case one rung up and tell its audience; how many were moved.

    Before that it opens cases that waited for the database; after it, it tells of
    cases whose message was lost, tries failed notices again and forgets texts past
    their day.
    """
    require(actor, "safety.sweep_escalation")
    open_spooled_cases()
    now = timezone.now()
    overdue = list(overdue_escalations(now)[:_SWEEP_LIMIT])
    moved = sum(raise_rung(actor, row, why="overdue") for row in overdue)
    for row in list(untold_escalations(now - MESSAGE_GRACE)[:_SWEEP_LIMIT]):
        notify_escalation(actor=actor, escalation_id=str(row.pk), rung=row.rung)
    deliver_notifications(actor=actor)
    forget_expired_texts(now)
    return moved
