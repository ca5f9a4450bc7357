"""The admin's landing page: what waits for this person, and whether all is well."""

from __future__ import annotations

from collections.abc import Sequence

from django.conf import settings
from django.http import HttpRequest
from django.utils import timezone

from apps.accounts.permissions import actor_for_user
from apps.audit.models import AuditChain
from apps.audit.selectors import head_matches
from apps.audit.verification import last_verification
from apps.models_registry.models import ModelAlias, TrainingRun
from apps.safety.selectors import desk_state
from pe_platform import home_cards as cards


def environment_label(request: HttpRequest) -> Sequence[str]:
    """The badge beside the title: production or local."""
    tone = "danger" if settings.IS_PRODUCTION else "info"
    return [settings.PE_ENVIRONMENT.capitalize(), tone]


# dict[str, object]: Django's template context.
def home_context(request: HttpRequest, context: dict[str, object]) -> dict[str, object]:
    """Add what the landing page shows to this person; nothing they may not view."""
    actor = actor_for_user(request.user)
    waiting = cards.waiting_approvals(actor)
    context["waiting"], context["inbox"] = waiting, cards.inbox(waiting)
    if "safety.view_escalation" in actor.permissions:
        context["escalations"] = cards.open_cases()
        context["desk"] = desk_state()
    if "models_registry.view_trainingrun" in actor.permissions:
        context["runs"] = TrainingRun.objects.select_related(
            "manifest__model"
        ).order_by("-created_at")[: cards.ROWS_SHOWN]
        context["aliases"] = ModelAlias.objects.select_related("model", "version")
    if "audit.view_auditentry" in actor.permissions:
        context["chains"] = AuditChain.objects.order_by("name")
        context["heads_match"] = head_matches()
        context["verification"] = last_verification()
    context["troubles"] = [
        *cards.stale_helplines(actor),
        *cards.failing_jobs(actor),
        *cards.expiring_keys(actor),
    ]
    context["roles"] = sorted(actor.roles)
    context["now"] = timezone.now()
    return context
