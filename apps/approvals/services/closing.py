"""Ending a request without a decision: withdrawn, void or expired."""

from __future__ import annotations

from django.db import transaction
from django.utils import timezone

from apps.accounts.permissions import require
from apps.approvals.models import ApprovalRequest
from apps.approvals.services.rows import (
    State,
    close,
    has_changed,
    locked_pending,
    locked_request,
    refuse_closed,
)
from apps.core.actors import Actor, ActorKind


@transaction.atomic
def withdraw_request(*, actor: Actor, request_id: str) -> ApprovalRequest:
    """Take a pending request back; the one who asked, or an operator."""
    request = locked_request(request_id)
    asked = actor.kind is ActorKind.STAFF and str(request.requested_by_id) == actor.id
    if not asked:
        require(actor, "approvals.withdraw_approvalrequest")
    refuse_closed(request)
    close(request, State.WITHDRAWN, actor)
    return request


@transaction.atomic
def void_if_changed(*, actor: Actor, subject_label: str, subject_id: str) -> bool:
    """Void the pending request of a subject that no longer has the bound digest.

    The owning app calls this in the transaction of the change, after its own checks.
    """
    pending = locked_pending(subject_label, subject_id)
    if pending is None or not has_changed(pending):
        return False
    close(pending, State.VOID, actor)
    return True


def expire_overdue_requests(*, actor: Actor) -> int:
    """Close what nobody signed in time, so that it can be submitted again.

    One transaction each: a subject that refuses does not hold up the others.
    """
    require(actor, "approvals.expire_approvalrequest")
    overdue = ApprovalRequest.objects.filter(
        state=State.PENDING, expires_at__lte=timezone.now()
    )
    return sum(_expire(actor, str(pk)) for pk in overdue.values_list("pk", flat=True))


@transaction.atomic
def _expire(actor: Actor, request_id: str) -> bool:
    request = locked_request(request_id)
    if not request.is_pending:
        return False
    close(request, State.EXPIRED, actor)
    return True
