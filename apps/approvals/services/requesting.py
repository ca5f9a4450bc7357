"""Opening a request, bound to the digest its subject has at that moment."""

from __future__ import annotations

from datetime import timedelta

from django.db import IntegrityError, transaction
from django.utils import timezone

from apps.accounts.models import User
from apps.accounts.permissions import acting_user
from apps.approvals.contracts import ApprovalSubject, SubjectFacts
from apps.approvals.errors import RequestClosed
from apps.approvals.models import ApprovalRequest
from apps.approvals.services.rows import State, locked_pending, move, record, statement
from apps.approvals.subjects import subject_for
from apps.core.actors import Actor


@transaction.atomic
def request_approval(
    *, actor: Actor, subject_label: str, subject_id: str, reason: str = ""
) -> ApprovalRequest:
    """Open a request bound to the subject's digest as it stands now.

    The owning app's submit service calls this after its own permission and state
    checks, in one transaction with its state change. A pending request for the same
    digest is returned. One that has expired, or was made for an older digest, ends
    first; ``closed`` is not called for it, since its subject is being submitted again.
    Raises RequestClosed when someone else submits the same subject at this moment.
    """
    subject = subject_for(subject_label)
    facts = subject.facts(subject_id)
    pending = locked_pending(subject_label, subject_id)
    if pending is not None:
        overdue = pending.expires_at <= timezone.now()
        if pending.subject_digest == facts.digest and not overdue:
            return pending
        _supersede(pending, State.EXPIRED if overdue else State.VOID, actor)
    request = _create(acting_user(actor), subject, facts, reason)
    record(actor, "approvals.requested", request)
    return request


def _supersede(pending: ApprovalRequest, state: State, actor: Actor) -> None:
    move(pending, state)
    record(actor, f"approvals.{state.value}", pending)


def _create(
    user: User, subject: ApprovalSubject, facts: SubjectFacts, reason: str
) -> ApprovalRequest:
    request = ApprovalRequest(
        subject_label=facts.label,
        subject_id=facts.id,
        subject_digest=facts.digest,
        title=facts.title[:200],
        reason=statement(reason, "reason", 4000) if reason.strip() else "",
        evidence=dict(facts.evidence),
        author_id=int(facts.author_id),
        requested_by=user,
        quorum=subject.policy.quorum,
        eligible_roles=list(subject.policy.roles),
        expires_at=timezone.now() + timedelta(days=subject.policy.expires_days),
    )
    try:
        with transaction.atomic():
            request.save(force_insert=True)
    except IntegrityError as error:
        raise RequestClosed(
            f"{facts.title} was submitted by someone else at this moment."
        ) from error
    return request
