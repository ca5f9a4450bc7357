"""Gauges of the crisis desk for Prometheus, read when somebody asks for metrics.

Labels come from the policy and from closed lists, never from a caller.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import DatabaseError
from django.db.models import Count, F, Min, Q
from django.utils import timezone
from prometheus_client import Gauge

from apps.core.errors import PlatformError
from apps.safety.models import Escalation, NotificationAttempt
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
OPEN = Gauge(
    "pe_escalations_open",
    "Crisis cases that nobody has acknowledged, by level.",
    ("level",),
    multiprocess_mode="mostrecent",
)
OLDEST = Gauge(
    "pe_escalations_oldest_seconds",
    "Age of the oldest case that nobody has acknowledged; 0 when there is none.",
    multiprocess_mode="mostrecent",
)
# Of one day, so that the cost of a scrape does not grow with the years.
ACKNOWLEDGED = Gauge(
    "pe_escalations_day",
    "Cases opened within a day, by whether the first responder took them in time.",
    ("in_time",),
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
        _refresh_open(now)
        _refresh_day(now)
    except (PlatformError, DatabaseError):
        # What cannot be read keeps its last value; /readyz tells of the database.
        return


def _refresh_open(now: datetime) -> None:
    rows = Escalation.objects.filter(state=Escalation.State.OPEN).values("level")
    counted = rows.annotate(cases=Count("pk"), oldest=Min("opened_at")).order_by()
    found = {row["level"]: row for row in counted}
    for level in Escalation.Level:
        OPEN.labels(level.value).set(found[level]["cases"] if level in found else 0)
    ages = [(now - row["oldest"]).total_seconds() for row in found.values()]
    OLDEST.set(max(ages, default=0))


def _refresh_day(now: datetime) -> None:
    """A case that had to go to the next responder was late, whoever took it then."""
    opened = Escalation.objects.filter(opened_at__gt=now - timedelta(days=1))
    kept = Q(rung=0, acknowledged_at__lte=F("due_at"))
    late = (
        Q(rung__gt=0)
        | Q(acknowledged_at__gt=F("due_at"))
        | Q(acknowledged_at=None, due_at__lte=now)
    )
    counted = opened.aggregate(
        kept=Count("pk", filter=kept), late=Count("pk", filter=late)
    )
    ACKNOWLEDGED.labels("true").set(counted["kept"])
    ACKNOWLEDGED.labels("false").set(counted["late"])
