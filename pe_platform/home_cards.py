"""What the landing page shows, card by card, each to who may view its rows.

Reads only. A card that a person may not see is not computed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.urls import reverse
from django.utils import timezone

from apps.accounts.models import ApiKey
from apps.approvals.models import ApprovalRequest
from apps.approvals.selectors import pending_requests, why_not_sign
from apps.core.actors import Actor
from apps.models_registry.models import TrainingRun
from apps.safety.models import Escalation, NotificationAttempt
from apps.safety.selectors import open_escalations, stale_contacts_in_force

ROWS_SHOWN = 8
# A request this old waits for somebody who may have forgotten it.
OVERDUE_AFTER = timedelta(days=3)
FAILED_WITHIN = timedelta(days=7)
EXPIRING_WITHIN = timedelta(days=14)


@dataclass(frozen=True, slots=True)
class WaitingApproval:
    """One pending request; ``refusal`` says why this person cannot sign it."""

    title: str
    url: str
    requested_at: datetime
    expires_at: datetime
    signed: int
    quorum: int
    refusal: str
    is_mine: bool
    is_overdue: bool


@dataclass(frozen=True, slots=True)
class Inbox:
    """Requests that wait for this person, their own, and everybody else's."""

    for_me: tuple[WaitingApproval, ...]
    mine: tuple[WaitingApproval, ...]
    others: tuple[WaitingApproval, ...]
    overdue: int


@dataclass(frozen=True, slots=True)
class Trouble:
    """One thing that failed or is about to end, and where to act on it."""

    what: str
    detail: str
    url: str
    at: datetime | None = None


def waiting_approvals(actor: Actor) -> list[WaitingApproval]:
    """Every pending request, what waits for this person first, then the oldest."""
    if "approvals.view_approvalrequest" not in actor.permissions:
        return []
    now = timezone.now()
    requests = pending_requests().prefetch_related("sign_offs").order_by("created_at")
    found = [_waiting(request, actor, now) for request in requests[: 5 * ROWS_SHOWN]]
    return sorted(found, key=lambda row: bool(row.refusal))


def _waiting(request: ApprovalRequest, actor: Actor, now: datetime) -> WaitingApproval:
    return WaitingApproval(
        title=request.title,
        url=reverse("admin:approvals_approvalrequest_change", args=[request.pk]),
        requested_at=request.created_at,
        expires_at=request.expires_at,
        signed=len(request.sign_offs.all()),
        quorum=request.quorum,
        refusal=why_not_sign(request, actor),
        is_mine=str(request.requested_by_id) == actor.id,
        is_overdue=now - request.created_at > OVERDUE_AFTER,
    )


def inbox(rows: Sequence[WaitingApproval]) -> Inbox:
    """The same rows by what this person has to do with them."""
    mine = tuple(row for row in rows if row.is_mine)
    for_me = tuple(row for row in rows if not row.refusal and not row.is_mine)
    others = tuple(row for row in rows if row.refusal and not row.is_mine)
    overdue = sum(row.is_overdue for row in rows)
    return Inbox(for_me[:ROWS_SHOWN], mine[:ROWS_SHOWN], others[:ROWS_SHOWN], overdue)


def open_cases() -> list[Escalation]:
    """Crisis cases that nobody has resolved, the first due first."""
    return list(open_escalations()[:ROWS_SHOWN])


def failing_jobs(actor: Actor) -> list[Trouble]:
    """Training runs and notices that failed lately, the newest first."""
    since = timezone.now() - FAILED_WITHIN
    found: list[Trouble] = []
    if "models_registry.view_trainingrun" in actor.permissions:
        found += _failed_runs(since)
    if "safety.view_notificationattempt" in actor.permissions:
        found += _failed_notices(since)
    return sorted(found, key=lambda one: one.at or since, reverse=True)[:ROWS_SHOWN]


def _failed_runs(since: datetime) -> list[Trouble]:
    runs = (
        TrainingRun.objects.filter(
            state=TrainingRun.State.FAILED, created_at__gte=since
        )
        .select_related("manifest__model")
        .order_by("-created_at")[:ROWS_SHOWN]
    )
    return [
        Trouble(
            f"Training of {run.manifest.model.name}",
            f"failed at step {run.step}",
            reverse("admin:models_registry_trainingrun_change", args=[run.pk]),
            run.created_at,
        )
        for run in runs
    ]


def _failed_notices(since: datetime) -> list[Trouble]:
    failed = NotificationAttempt.objects.filter(
        outcome=NotificationAttempt.Outcome.FAILED, due_at__gte=since
    ).order_by("-due_at")[:ROWS_SHOWN]
    return [
        Trouble(
            f"Notice through {notice.channel}",
            f"attempt {notice.attempt} failed",
            reverse("admin:safety_escalation_change", args=[notice.escalation_id]),
            notice.due_at,
        )
        for notice in failed
    ]


def expiring_keys(actor: Actor) -> list[Trouble]:
    """API keys that end within two weeks, the next first."""
    if "accounts.view_apikey" not in actor.permissions:
        return []
    now = timezone.now()
    ending = ApiKey.objects.filter(
        revoked_at=None, expires_at__range=(now, now + EXPIRING_WITHIN)
    ).order_by("expires_at")[:ROWS_SHOWN]
    return [
        Trouble(
            f"API key {key.name}",
            f"{key.prefix} ends",
            reverse("admin:accounts_apikey_change", args=[key.pk]),
            key.expires_at,
        )
        for key in ending
    ]


def stale_helplines(actor: Actor) -> list[Trouble]:
    """Helplines in force whose number was last verified too long ago."""
    if "safety.view_safetypolicy" not in actor.permissions:
        return []
    url = reverse("admin:safety_safetypolicy_changelist")
    days = settings.PE_CONTACT_STALE_DAYS
    return [
        Trouble(
            f"{one.name} ({one.locale})", f"not verified for {days} days or more", url
        )
        for one in stale_contacts_in_force()[:ROWS_SHOWN]
    ]
