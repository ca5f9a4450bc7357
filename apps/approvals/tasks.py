"""Celery entry points of the approvals app."""

from __future__ import annotations

from celery import shared_task

from apps.accounts.permissions import system_actor
from apps.approvals import services


@shared_task(name="approvals.expire_overdue")
def expire_overdue() -> int:
    """Close what nobody signed in time; safe to run twice."""
    return services.expire_overdue_requests(actor=system_actor("maintenance"))
