"""Gauges of the crisis desk for Prometheus, read when somebody asks for metrics.

Labels come from the policy and from closed lists, never from a caller.
"""

from __future__ import annotations

from django.db import DatabaseError
from django.utils import timezone
from prometheus_client import Gauge

from apps.core.errors import PlatformError
from apps.safety.models import NotificationAttempt
from apps.safety.selectors import overdue_escalations, stale_contacts_in_force
from apps.safety.spool import spooled_count

STALE = Gauge(
    "pe_crisis_contacts_stale",
    "Helplines in force that nobody has verified for too long.",
    multiprocess_mode="mostrecent",
)
OVERDUE = Gauge(
    "pe_escalations_overdue",
    "Open crisis cases past their time to acknowledge.",
    multiprocess_mode="mostrecent",
)
UNDELIVERED = Gauge(
    "pe_escalation_notices_waiting",
    "Notices that are due and not sent.",
    multiprocess_mode="mostrecent",
)
SPOOLED = Gauge(
    "pe_escalations_spooled",
    "Crisis cases on this machine's disk that wait for the database.",
    multiprocess_mode="mostrecent",
)


def refresh_gauges() -> None:
    """Read what the gauges show; without a database the spool alone is read."""
    SPOOLED.set(spooled_count())
    try:
        now = timezone.now()
        STALE.set(len(stale_contacts_in_force()))
        OVERDUE.set(overdue_escalations(now).count())
        waiting = NotificationAttempt.objects.filter(outcome="pending", due_at__lte=now)
        UNDELIVERED.set(waiting.count())
    except (PlatformError, DatabaseError):
        # What cannot be read keeps its last value; /readyz tells of the database.
        return
