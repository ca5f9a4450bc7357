"""Drafting, submitting, adopting and retiring safety policies.

A policy comes into force only through an approval that is bound to its digest; there is
no other caller of ``adopt_policy`` than the approvals subject.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Max
from django.utils import timezone

from apps.accounts.permissions import acting_user, require
from apps.approvals.selectors import approved_request
from apps.approvals.services import request_approval
from apps.audit.services import record_event
from apps.core.actors import Actor, Subject
from apps.core.errors import NotFound
from apps.safety.errors import PolicyInvalid, PolicyState
from apps.safety.models import SafetyPolicy
from apps.safety.policy import parse_policy
from apps.safety.selectors import forget_policies

LABEL = "safety.safetypolicy"
State = SafetyPolicy.State


def draft_policy(*, actor: Actor, name: str, document: Any) -> SafetyPolicy:
    """A new version of a policy, as a draft; ``document`` is any JSON, checked here.

    Raises PolicyInvalid saying what is wrong with the document or the name.
    """
    require(actor, "safety.add_safetypolicy")
    author = acting_user(actor)
    if not name or not all(c.isascii() and (c.isalnum() or c in "-_") for c in name):
        raise PolicyInvalid("A policy's name is letters, digits, - and _ only")
    policy = parse_policy(document, name=name)
    try:
        with transaction.atomic():
            row = SafetyPolicy.objects.create(
                name=name,
                version=_next_version(name),
                document=document,
                digest=policy.digest,
                author=author,
            )
            _record(actor, "safety.policy_drafted", row)
    except IntegrityError as error:
        raise PolicyState(
            f"Somebody drafted a version of {name} at the same moment: try again."
        ) from error
    return row


def _next_version(name: str) -> int:
    newest = SafetyPolicy.objects.filter(name=name).aggregate(newest=Max("version"))
    return int(newest["newest"] or 0) + 1


def submit_policy(*, actor: Actor, policy_id: str, reason: str = "") -> SafetyPolicy:
    """Ask for approval of a draft; opens the request that reviewers sign."""
    require(actor, "safety.submit_safetypolicy")
    with transaction.atomic():
        row = locked_policy(policy_id)
        _move(row, State.DRAFT, State.SUBMITTED)
        request_approval(
            actor=actor, subject_label=LABEL, subject_id=str(row.pk), reason=reason
        )
        _record(actor, "safety.policy_submitted", row)
    return row


def adopt_policy(*, actor: Actor, policy_id: str) -> SafetyPolicy:
    """Put an approved policy into force, now or from the time its document names.

    What starts now retires what started before it; what starts later leaves the version
    in force in place until then, and is chosen by time from then on.

    Raises NotApproved unless an approved request covers exactly this document. The
    actor is the signer who met the quorum.
    """
    with transaction.atomic():
        row = locked_policy(policy_id)
        approved_request(LABEL, str(row.pk), row.digest)
        now = timezone.now()
        wanted = parse_policy(row.document, name=row.name).effective_from
        starts_at = max(now, wanted) if wanted else now
        if starts_at == now:
            for previous in _started(row.name, now):
                _retire(actor, previous)
        facts = {"approved_at": now, "starts_at": starts_at}
        _move(row, State.SUBMITTED, State.APPROVED, **facts)
        _record(actor, "safety.policy_adopted", row)
        transaction.on_commit(forget_policies)
    return row


def reopen_policy(*, actor: Actor, policy_id: str) -> SafetyPolicy:
    """A submitted policy becomes a draft again: its request closed unapproved."""
    with transaction.atomic():
        row = locked_policy(policy_id)
        if row.state == State.SUBMITTED:
            _move(row, State.SUBMITTED, State.DRAFT)
            _record(actor, "safety.policy_reopened", row)
    return row


def retire_policy(*, actor: Actor, policy_id: str) -> SafetyPolicy:
    """Take a policy out of use. Without another in force, nothing is answered.

    Versions that it had superseded retire with it, so that none comes back unasked.
    """
    require(actor, "safety.submit_safetypolicy")
    with transaction.atomic():
        row = locked_policy(policy_id)
        if row.state not in {State.DRAFT, State.APPROVED}:
            raise PolicyState(f"{row} cannot be retired: withdraw its request first.")
        if row.starts_at is not None and row.has_started(timezone.now()):
            for superseded in _started(row.name, row.starts_at):
                _retire(actor, superseded)
            row.refresh_from_db()
        else:
            _retire(actor, row)
        transaction.on_commit(forget_policies)
    return row


def revert_policy(*, actor: Actor, policy_id: str) -> SafetyPolicy:
    """A new draft with the content of a version that was approved once.

    It needs approval like any other draft, and starts when it has it. Raises
    PolicyState for a version that nobody ever approved.
    """
    require(actor, "safety.add_safetypolicy")
    with transaction.atomic():
        row = locked_policy(policy_id)
        if row.approved_at is None:
            raise PolicyState(f"{row} was never approved: draft a new version instead.")
        document = {k: v for k, v in row.document.items() if k != "effective_from"}
        draft = draft_policy(actor=actor, name=row.name, document=document)
        record_event(
            actor=actor,
            event="safety.policy_reverted",
            subject=Subject(LABEL, str(draft.pk), draft.digest),
            details={"name": row.name, "to": row.version, "version": draft.version},
        )
    return draft


def _retire(actor: Actor, row: SafetyPolicy) -> None:
    _move(
        row,
        State(row.state),
        State.RETIRED,
        retired_at=timezone.now(),
        retired_by=acting_user(actor),
    )
    _record(actor, "safety.policy_retired", row)


def locked_policy(policy_id: str) -> SafetyPolicy:
    """The row, locked until the transaction ends; NotFound when there is none."""
    try:
        return SafetyPolicy.objects.select_for_update().get(pk=policy_id)
    except (SafetyPolicy.DoesNotExist, ValueError) as error:
        raise NotFound("There is no such safety policy.") from error


def _started(name: str, now: datetime) -> list[SafetyPolicy]:
    rows = SafetyPolicy.objects.select_for_update()
    return list(rows.filter(name=name, state=State.APPROVED, starts_at__lte=now))


def _move(row: SafetyPolicy, before: State, after: State, **facts: object) -> None:
    rows = SafetyPolicy.objects.filter(pk=row.pk, state=before)
    if rows.update(state=after, **facts) != 1:
        raise PolicyState(f"{row} is not a {before.label.lower()} any more.")
    row.refresh_from_db()


def _record(actor: Actor, event: str, row: SafetyPolicy) -> None:
    record_event(
        actor=actor,
        event=event,
        subject=Subject(LABEL, str(row.pk), row.digest),
        details={"name": row.name, "version": row.version},
    )
