"""Signing: one transaction from the lock to the decision.

Four eyes bind everyone: there is no permission, role or superuser flag that lets an
author sign, or one person or role sign twice. The database refuses the same.
"""

from __future__ import annotations

from dataclasses import dataclass

from django.db import transaction
from django.utils import timezone

from apps.accounts.permissions import acting_user, require
from apps.approvals.errors import NotYourSignature, RequestClosed, SubjectChanged
from apps.approvals.models import ApprovalRequest, SignOff
from apps.approvals.quorum import Vote, outcome, signing_role
from apps.approvals.selectors import votes_on, why_not_sign
from apps.approvals.services.rows import (
    State,
    close,
    has_changed,
    locked_request,
    move,
    record,
    refuse_closed,
    statement,
)
from apps.approvals.subjects import subject_for
from apps.core.actors import Actor
from apps.core.errors import PlatformError


@dataclass(frozen=True, slots=True)
class _Statement:
    approve: bool
    meaning: str
    reason: str


def sign(
    *, actor: Actor, request_id: str, approve: bool, meaning: str, reason: str
) -> ApprovalRequest:
    """Sign for or against; the sign-off that meets the quorum approves the subject.

    Raises SubjectChanged after voiding the request when the content is no longer what
    was submitted; RequestClosed when it expired (and closes it) or somebody else closed
    it first; NotYourSignature with the reason when this person may not sign;
    InvalidInput without a meaning and a reason; RuntimeError inside an open
    transaction, which could undo the voiding.
    """
    require(actor, "approvals.sign_approvalrequest")
    said = _Statement(
        approve,
        statement(meaning, "meaning", 200),
        statement(reason, "reason", 4000),
    )
    with transaction.atomic(durable=True):
        request = locked_request(request_id)
        refuse_closed(request)
        ended = _ended(actor, request)
        if ended is None:
            _sign_and_decide(actor, request, said)
    if ended is not None:
        raise ended
    return request


def _ended(actor: Actor, request: ApprovalRequest) -> PlatformError | None:
    """Close a request that can no longer be signed, and say why."""
    if has_changed(request):
        close(request, State.VOID, actor)
        return SubjectChanged(
            f"{request.title} changed after it was submitted. The request and its "
            "sign-offs are void; submit it again."
        )
    if request.expires_at <= timezone.now():
        close(request, State.EXPIRED, actor)
        return RequestClosed(
            f"{request.title} expired on {request.expires_at:%Y-%m-%d}; submit again."
        )
    return None


def _sign_and_decide(actor: Actor, request: ApprovalRequest, said: _Statement) -> None:
    refusal = why_not_sign(request, actor)
    if refusal:
        raise NotYourSignature(refusal)
    sign_off = _add_sign_off(actor, request, said)
    details: dict[str, object] = {
        "outcome": sign_off.outcome,
        "role": sign_off.role,
        "meaning": said.meaning,
    }
    record(actor, "approvals.signed", request, details)
    _decide(actor, request, votes_on(request))


def _add_sign_off(actor: Actor, request: ApprovalRequest, said: _Statement) -> SignOff:
    user = acting_user(actor)
    held = set(user.groups.values_list("name", flat=True))
    taken = {vote.role for vote in votes_on(request)}
    role = signing_role(held, request.eligible_roles, taken)
    if role is None:
        raise NotYourSignature("Your roles do not sign this request.")
    return SignOff.objects.create(
        request=request,
        signer=user,
        author_id=request.author_id,
        role=role,
        outcome=SignOff.Outcome.APPROVE if said.approve else SignOff.Outcome.REJECT,
        meaning=said.meaning,
        reason=said.reason,
        subject_digest=request.subject_digest,
    )


def _decide(actor: Actor, request: ApprovalRequest, votes: list[Vote]) -> None:
    verdict = outcome(votes, request.quorum, str(request.author_id))
    if verdict is False:
        close(request, State.REJECTED, actor)
    if verdict is not True:
        return
    move(request, State.APPROVED)
    record(actor, "approvals.approved", request)
    subject_for(request.subject_label).approved(request.subject_id, actor)
    # The owner has locked its row by now: a change that committed between the first
    # look and that lock is seen here, and undoes the whole signature.
    if has_changed(request):
        raise SubjectChanged(f"{request.title} changed while it was being signed.")
