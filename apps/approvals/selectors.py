"""Reading approvals: what waits, what covers a subject, why someone may not sign."""

from __future__ import annotations

from django.db.models import QuerySet

from apps.accounts.permissions import has_permission
from apps.approvals.errors import NotApproved
from apps.approvals.models import ApprovalRequest, SignOff
from apps.approvals.quorum import Vote, refusal
from apps.approvals.subjects import subject_for
from apps.core.actors import Actor, ActorKind


def votes_on(request: ApprovalRequest) -> list[Vote]:
    return [
        Vote(
            signer_id=str(sign_off.signer_id),
            role=sign_off.role,
            approves=sign_off.outcome == SignOff.Outcome.APPROVE,
        )
        for sign_off in request.sign_offs.all()
    ]


def why_not_sign(request: ApprovalRequest, actor: Actor) -> str:
    """Why the actor cannot sign now, in words for the screen; empty when they can."""
    if not request.is_pending:
        return f"This request is {request.get_state_display().lower()}."
    if not has_permission(actor, "approvals.sign_approvalrequest"):
        return "Your roles do not sign approvals."
    return refusal(
        signer_id=actor.id,
        author_id=str(request.author_id),
        held=actor.roles,
        eligible=request.eligible_roles,
        votes=votes_on(request),
    )


def may_withdraw(request: ApprovalRequest, actor: Actor) -> bool:
    """Whether the actor may take this request back now."""
    asked = actor.kind is ActorKind.STAFF and str(request.requested_by_id) == actor.id
    allowed = has_permission(actor, "approvals.withdraw_approvalrequest")
    return request.is_pending and (asked or allowed)


def pending_requests() -> QuerySet[ApprovalRequest]:
    return ApprovalRequest.objects.filter(state=ApprovalRequest.State.PENDING)


def approved_request(label: str, subject_id: str, digest: str) -> ApprovalRequest:
    """The approved request that covers exactly this digest; NotApproved otherwise."""
    found = ApprovalRequest.objects.filter(
        subject_label=label,
        subject_id=subject_id,
        subject_digest=digest,
        state=ApprovalRequest.State.APPROVED,
    ).first()
    if found is None:
        raise NotApproved(f"{label} {subject_id} is not approved as it stands now.")
    return found


def require_approved(label: str, subject_id: str) -> ApprovalRequest:
    """As ``approved_request``, for the digest the subject has at this moment."""
    facts = subject_for(label).facts(subject_id)
    return approved_request(label, subject_id, facts.digest)
