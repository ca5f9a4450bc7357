"""Requesting, signing, withdrawing and voiding; the only writers of these tables."""

from __future__ import annotations

from datetime import timedelta

from django.db import transaction
from django.utils import timezone

from apps.accounts.permissions import acting_user, require
from apps.approvals.contracts import SubjectFacts
from apps.approvals.errors import NotYourSignature, RequestClosed, SubjectChanged
from apps.approvals.models import ApprovalRequest, SignOff
from apps.approvals.quorum import Vote, outcome, signing_role
from apps.approvals.selectors import votes_on, why_not_sign
from apps.approvals.subjects import subject_for
from apps.audit.services import record_event
from apps.core.actors import Actor, Subject
from apps.core.errors import InvalidInput, NotPermitted

State = ApprovalRequest.State


@transaction.atomic
def request_approval(
    *, actor: Actor, subject_label: str, subject_id: str, reason: str = ""
) -> ApprovalRequest:
    """Open a request bound to the subject's digest as it stands now.

    The owning app's submit service calls this after its own permission and state
    checks, in one transaction with its state change. A pending request for an older
    digest is voided first; one for the same digest is returned.
    """
    subject = subject_for(subject_label)
    facts = subject.facts(subject_id)
    pending = _locked_pending(subject_label, subject_id)
    if pending is not None and pending.subject_digest == facts.digest:
        return pending
    if pending is not None:
        _close(pending, State.VOID, actor)
    user = acting_user(actor)
    request = ApprovalRequest.objects.create(
        subject_label=subject_label,
        subject_id=subject_id,
        subject_digest=facts.digest,
        title=facts.title,
        reason=reason,
        evidence=dict(facts.evidence),
        author_id=int(facts.author_id),
        requested_by=user,
        quorum=subject.policy.quorum,
        eligible_roles=list(subject.policy.roles),
        expires_at=timezone.now() + timedelta(days=subject.policy.expires_days),
    )
    _record(actor, "approvals.requested", request)
    return request


def sign(
    *, actor: Actor, request_id: str, approve: bool, meaning: str, reason: str
) -> ApprovalRequest:
    """Sign for or against; the sign-off that meets the quorum approves the subject.

    Raises SubjectChanged after voiding the request when the content is no longer what
    was submitted; NotYourSignature with the reason when this person may not sign;
    RequestClosed when somebody else closed it first; InvalidInput without a meaning
    and a reason.
    """
    require(actor, "approvals.sign_approvalrequest")
    if not meaning.strip() or not reason.strip():
        raise InvalidInput("A sign-off needs its meaning and a reason.")
    changed = _void_if_changed(actor, request_id)
    if changed is not None:
        raise SubjectChanged(
            f"{changed.title} changed after it was submitted. The request and its "
            "sign-offs are void; submit it again."
        )
    with transaction.atomic():
        request = _locked_request(request_id)
        _refuse_expired_or_closed(request)
        refusal = why_not_sign(request, actor)
        if refusal:
            raise NotYourSignature(refusal)
        sign_off = _add_sign_off(actor, request, approve, meaning, reason)
        _record(
            actor,
            "approvals.signed",
            request,
            {"outcome": sign_off.outcome, "role": sign_off.role, "meaning": meaning},
        )
        _decide(actor, request, votes_on(request))
    return request


def _add_sign_off(
    actor: Actor, request: ApprovalRequest, approve: bool, meaning: str, reason: str
) -> SignOff:
    user = acting_user(actor)
    held = set(user.groups.values_list("name", flat=True))
    taken = {vote.role for vote in votes_on(request)}
    role = signing_role(held, request.eligible_roles, taken)
    if role is None:
        raise NotYourSignature("Your roles do not sign this request.")
    outcome_value = SignOff.Outcome.APPROVE if approve else SignOff.Outcome.REJECT
    return SignOff.objects.create(
        request=request,
        signer=user,
        author_id=request.author_id,
        role=role,
        outcome=outcome_value,
        meaning=meaning.strip(),
        reason=reason.strip(),
        subject_digest=request.subject_digest,
    )


def _decide(actor: Actor, request: ApprovalRequest, votes: list[Vote]) -> None:
    verdict = outcome(votes, request.quorum, str(request.author_id))
    if verdict is True:
        _move(request, State.APPROVED)
        _record(actor, "approvals.approved", request)
        subject_for(request.subject_label).approved(request.subject_id, actor)
    elif verdict is False:
        _close(request, State.REJECTED, actor)


def withdraw_request(*, actor: Actor, request_id: str) -> ApprovalRequest:
    """Take a pending request back; the one who asked, or an operator."""
    with transaction.atomic():
        request = _locked_request(request_id)
        if str(request.requested_by_id) != actor.id:
            require(actor, "approvals.withdraw_approvalrequest")
        _refuse_closed(request)
        _close(request, State.WITHDRAWN, actor)
    return request


@transaction.atomic
def void_if_changed(*, actor: Actor, subject_label: str, subject_id: str) -> bool:
    """Void the pending request of a subject that no longer has the bound digest."""
    pending = _locked_pending(subject_label, subject_id)
    if pending is None or _facts(pending).digest == pending.subject_digest:
        return False
    _close(pending, State.VOID, actor)
    return True


@transaction.atomic
def _void_if_changed(actor: Actor, request_id: str) -> ApprovalRequest | None:
    """The request, when it had to be voided: committed before anyone is told."""
    request = _locked_request(request_id)
    if not request.is_pending or _facts(request).digest == request.subject_digest:
        return None
    _close(request, State.VOID, actor)
    return request


def _facts(request: ApprovalRequest) -> SubjectFacts:
    return subject_for(request.subject_label).facts(request.subject_id)


def _locked_request(request_id: str) -> ApprovalRequest:
    try:
        return ApprovalRequest.objects.select_for_update().get(pk=request_id)
    except ApprovalRequest.DoesNotExist as error:
        raise NotPermitted("There is no such approval request.") from error


def _locked_pending(subject_label: str, subject_id: str) -> ApprovalRequest | None:
    return (
        ApprovalRequest.objects.select_for_update()
        .filter(subject_label=subject_label, subject_id=subject_id, state=State.PENDING)
        .first()
    )


def _refuse_closed(request: ApprovalRequest) -> None:
    if not request.is_pending:
        raise RequestClosed(
            f"{request.title} is {request.get_state_display().lower()} already."
        )


def _refuse_expired_or_closed(request: ApprovalRequest) -> None:
    _refuse_closed(request)
    if request.expires_at <= timezone.now():
        raise RequestClosed(
            f"{request.title} expired on {request.expires_at:%Y-%m-%d}; submit again."
        )


def _move(request: ApprovalRequest, state: State) -> None:
    now = timezone.now()
    moved = ApprovalRequest.objects.filter(pk=request.pk, state=State.PENDING).update(
        state=state, decided_at=now
    )
    if moved != 1:
        raise RequestClosed(f"{request.title} was closed by someone else.")
    request.state, request.decided_at = state, now


def _close(request: ApprovalRequest, state: State, actor: Actor) -> None:
    _move(request, state)
    _record(actor, f"approvals.{state.value}", request)
    subject_for(request.subject_label).closed(request.subject_id, actor)


def _record(
    actor: Actor,
    event: str,
    request: ApprovalRequest,
    details: dict[str, object] | None = None,
) -> None:
    record_event(
        actor=actor,
        event=event,
        subject=Subject(
            request.subject_label, request.subject_id, request.subject_digest
        ),
        details={"request": str(request.pk), **(details or {})},
    )
