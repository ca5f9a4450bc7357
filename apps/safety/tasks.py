"""Celery entry points of the safety app; identifiers in, one service call."""

from __future__ import annotations

from celery import shared_task

from apps.accounts.permissions import system_actor
from apps.safety import services


@shared_task(name="safety.notify_escalation")
def notify(escalation_id: str, rung: int) -> None:
    """Tell the audience of a rung; safe to run twice."""
    services.notify_escalation(
        actor=system_actor("escalation"), escalation_id=escalation_id, rung=rung
    )


@shared_task(name="safety.sweep_escalations")
def sweep() -> None:
    """Raise every overdue escalation by one rung; safe to run twice."""
    services.sweep_overdue_escalations(actor=system_actor("escalation"))
