"""Reads of the safety app: the policy in force, escalations that wait.

There is no fallback here: without an approved policy there is no policy, and whoever
asks has to answer with the fixed *unavailable* text.
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from datetime import time as datetime_time

from django.conf import settings
from django.db.models import Count, Exists, OuterRef, Q, QuerySet
from django.utils import timezone

from apps.safety.errors import PolicyMissing
from apps.safety.models import (
    Escalation,
    EscalationStep,
    NotificationAttempt,
    SafetyPolicy,
)
from apps.safety.policy import (
    Policy,
    StaleContact,
    default_document,
    default_policy,
    parse_policy,
)
from apps.safety.referrals import HandledCase


@dataclass(frozen=True, slots=True)
class DeskState:
    """The crisis desk at a moment; ``version`` differs once anything happened there."""

    open: int
    overdue: int
    version: str


_lock = threading.Lock()
_held: dict[str, tuple[float, Policy]] = {}
_parsed: dict[str, Policy] = {}


def policy_in_force(name: str | None = None) -> Policy:
    """The approved policy of a name (by default ``PE_DEFAULT_POLICY``) that started
    last.

    Held for ``PE_POLICY_CACHE_S`` seconds but never beyond the start of the next one,
    and forgotten at once in the process that adopts or retires one. Raises
    PolicyMissing when none is in force.
    """
    wanted = name or settings.PE_DEFAULT_POLICY
    now = time.monotonic()
    held = _held.get(wanted)
    if held is not None and now < held[0]:
        return held[1]
    moment = timezone.now()
    policy = _read(wanted, moment)
    held_s = min(float(settings.PE_POLICY_CACHE_S), _until_next(wanted, moment))
    with _lock:
        _held[wanted] = (now + held_s, policy)
    return policy


def _until_next(name: str, moment: datetime) -> float:
    """Seconds until the next approved version starts; infinite without one."""
    rows = SafetyPolicy.objects.filter(name=name, state=SafetyPolicy.State.APPROVED)
    starts = rows.filter(starts_at__gt=moment).order_by("starts_at")
    soonest = starts.values_list("starts_at", flat=True).first()
    return (soonest - moment).total_seconds() if soonest else math.inf


def versions_in_force(moment: datetime, name: str) -> QuerySet[SafetyPolicy]:
    """The started versions of a name, the one in force first."""
    return SafetyPolicy.objects.filter(
        name=name, state=SafetyPolicy.State.APPROVED, starts_at__lte=moment
    ).order_by("-starts_at", "-version")


def forget_policies() -> None:
    """Read policies from the database again at the next question."""
    with _lock:
        _held.clear()


def _read(name: str, moment: datetime) -> Policy:
    row = versions_in_force(moment, name).values_list("digest", "version").first()
    if row is None:
        raise PolicyMissing(
            f"No safety policy {name} is in force: one has to be drafted, submitted "
            "and signed before anything can be answered."
        )
    digest, version = row
    key = f"{name}:{version}:{digest}"
    if key not in _parsed:
        document = SafetyPolicy.objects.values_list("document", flat=True).get(
            name=name, version=version
        )
        _parsed[key] = _verified(name, version, document, digest)
    return _parsed[key]


def _verified(name: str, version: int, document: object, digest: str) -> Policy:
    policy = parse_policy(document, name=name, version=version)
    if policy.digest != digest:
        raise PolicyMissing(
            f"Safety policy {name} v{version} is not the document that was signed."
        )
    return policy


def stale_contacts_in_force() -> tuple[StaleContact, ...]:
    """Contacts of the policy in force, or else of the shipped one, to verify again."""
    try:
        policy = policy_in_force()
    except PolicyMissing:
        policy = default_policy()
    today = datetime.now(UTC).date()
    return policy.stale_contacts(today, int(settings.PE_CONTACT_STALE_DAYS))


def open_escalations() -> QuerySet[Escalation]:
    """Escalations that nobody has resolved, the first due first."""
    return (
        Escalation.objects.exclude(state=Escalation.State.RESOLVED)
        .select_related("assigned_to")
        .order_by("due_at")
    )


def desk_state() -> DeskState:
    """How many cases are open and overdue now, and what changes with every step."""
    now, opened = timezone.now(), Escalation.State.OPEN
    counted = Escalation.objects.filter(state=opened).aggregate(
        open=Count("pk"), overdue=Count("pk", filter=Q(due_at__lte=now))
    )
    newest = EscalationStep.objects.order_by("-id").values_list("id", flat=True).first()
    version = f"{newest or 0}-{counted['open']}"
    return DeskState(counted["open"], counted["overdue"], version)


def overdue_escalations(now: datetime) -> QuerySet[Escalation]:
    """Escalations that nobody has acknowledged in time."""
    return Escalation.objects.filter(
        state=Escalation.State.OPEN, due_at__lte=now
    ).order_by("due_at")


def untold_escalations(before: datetime) -> QuerySet[Escalation]:
    """Open cases whose rung began before then and was never told of."""
    steps = EscalationStep.objects.filter(escalation=OuterRef("pk"))
    told = steps.filter(kind=EscalationStep.Kind.NOTIFIED, rung=OuterRef("rung"))
    began = [EscalationStep.Kind.OPENED, EscalationStep.Kind.OVERDUE]
    fresh = steps.filter(kind__in=began, at__gt=before)
    return Escalation.objects.filter(
        ~Exists(told), ~Exists(fresh), state=Escalation.State.OPEN
    ).order_by("due_at")


def due_attempts(
    now: datetime, escalation_id: str | None = None
) -> QuerySet[NotificationAttempt]:
    """Notices to send now, of one case or of all, the longest due first."""
    rows = NotificationAttempt.objects.filter(
        outcome=NotificationAttempt.Outcome.PENDING, due_at__lte=now
    ).select_related("responder")
    return rows.filter(escalation_id=escalation_id) if escalation_id else rows


def lost_attempts(now: datetime) -> QuerySet[NotificationAttempt]:
    """Notices that somebody began to send and never settled."""
    return NotificationAttempt.objects.filter(
        outcome=NotificationAttempt.Outcome.SENDING, claimed_until__lte=now
    )


def handled_cases(first: date, last: date) -> Iterator[HandledCase]:
    """Cases opened from the first day to the last (UTC, both in), for a report."""
    begins = datetime.combine(first, datetime_time.min, UTC)
    ends = datetime.combine(last, datetime_time.max, UTC)
    rows = Escalation.objects.filter(opened_at__range=(begins, ends)).values_list(
        "level", "locale", "disposition", "opened_at", "acknowledged_at"
    )
    for level, locale, disposition, opened_at, acknowledged_at in rows.iterator():
        waited_s = (
            (acknowledged_at - opened_at).total_seconds() if acknowledged_at else None
        )
        yield HandledCase(level, locale, disposition, waited_s)


def document_of(policy: Policy) -> object:
    """The JSON document that a policy was read from: its row's, or the shipped one."""
    if not policy.version:
        return default_document()
    rows = SafetyPolicy.objects.filter(name=policy.name, version=policy.version)
    return rows.values_list("document", flat=True).get()


def document_in_force(name: str) -> object:
    """The JSON document that is in force under a name; None without one."""
    rows = versions_in_force(timezone.now(), name)
    return rows.values_list("document", flat=True).first()
