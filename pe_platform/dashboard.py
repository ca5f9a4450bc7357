"""The admin's landing page: what waits for this person, and whether all is well."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone

from apps.accounts.permissions import actor_for_user
from apps.approvals.selectors import pending_requests, why_not_sign
from apps.audit.models import AuditChain
from apps.audit.selectors import head_matches
from apps.core.actors import Actor
from apps.models_registry.models import ModelAlias, TrainingRun
from apps.safety.admin.screens import warn_of_stale_contacts
from apps.safety.models import Escalation

ROWS_SHOWN = 8


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


def environment_label(request: HttpRequest) -> Sequence[str]:
    """The badge beside the title: production or local."""
    tone = "danger" if settings.IS_PRODUCTION else "info"
    return [settings.PE_ENVIRONMENT.capitalize(), tone]


# dict[str, object]: Django's template context.
def home_context(request: HttpRequest, context: dict[str, object]) -> dict[str, object]:
    """Add what the landing page shows to this person; nothing they may not view."""
    actor = actor_for_user(request.user)
    context["waiting"] = _waiting(actor)
    if "safety.view_safetypolicy" in actor.permissions:
        warn_of_stale_contacts(request)
    if "safety.view_escalation" in actor.permissions:
        context["escalations"] = _open_escalations()
    if "models_registry.view_trainingrun" in actor.permissions:
        context["runs"] = TrainingRun.objects.select_related(
            "manifest__model"
        ).order_by("-created_at")[:ROWS_SHOWN]
        context["aliases"] = ModelAlias.objects.select_related("model", "version")
    if "audit.view_auditentry" in actor.permissions:
        context["chains"] = AuditChain.objects.order_by("name")
        context["heads_match"] = head_matches()
    context["now"] = timezone.now()
    return context


def _waiting(actor: Actor) -> list[WaitingApproval]:
    if "approvals.view_approvalrequest" not in actor.permissions:
        return []
    requests = pending_requests().prefetch_related("sign_offs")[:ROWS_SHOWN]
    found = [
        WaitingApproval(
            title=request.title,
            url=reverse("admin:approvals_approvalrequest_change", args=[request.pk]),
            requested_at=request.created_at,
            expires_at=request.expires_at,
            signed=len(request.sign_offs.all()),
            quorum=request.quorum,
            refusal=why_not_sign(request, actor),
        )
        for request in requests
    ]
    return sorted(found, key=lambda row: bool(row.refusal))


def _open_escalations() -> list[Escalation]:
    return list(
        Escalation.objects.exclude(state=Escalation.State.RESOLVED).order_by("due_at")[
            :ROWS_SHOWN
        ]
    )
