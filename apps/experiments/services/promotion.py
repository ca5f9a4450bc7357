"""Putting promotion policies in force and accepting risks, each signed for.

A policy is written once; another one replaces it. A risk is accepted for one rule of
one version as it was measured, until a day, by a named person who did not make the
version, and by a second one who signs.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

from django.db import transaction
from django.utils import timezone

from apps.accounts.permissions import acting_user, require
from apps.approvals.selectors import require_approved
from apps.approvals.services import request_approval
from apps.audit.services import record_event
from apps.core.actors import Actor, Subject
from apps.core.errors import InvalidInput, NotPermitted, StateConflict
from apps.experiments.models import AcceptedRisk, PromotionPolicy
from apps.experiments.promotion.rules import parse_rules
from apps.experiments.selectors.promotion import (
    POLICY_LABEL,
    RISK_LABEL,
    policy_digest,
    promotion_policy_by_id,
    risk_by_id,
    risk_digest,
    standing_of,
)
from apps.models_registry.selectors import model_named, version_by_id

MOST_DAYS = 180
LONGEST_REASON = 4000


@transaction.atomic
def submit_policy(*, actor: Actor, document: object) -> PromotionPolicy:
    """A policy that waits for its signatures; PolicyInvalid with every problem."""
    require(actor, "experiments.add_promotionpolicy")
    name, _ = parse_rules(document)
    policy = PromotionPolicy.objects.create(
        model=model_named(name), document=document, author=acting_user(actor)
    )
    _record(actor, "policy_submitted", _policy_subject(policy))
    request_approval(actor=actor, subject_label=POLICY_LABEL, subject_id=str(policy.pk))
    return policy


@transaction.atomic
def put_policy_in_force(*, actor: Actor, policy_id: str) -> None:
    """Called by approvals in the transaction of the deciding signature."""
    require(actor, "approvals.sign_approvalrequest")
    require_approved(POLICY_LABEL, policy_id)
    policy = promotion_policy_by_id(policy_id)
    State = PromotionPolicy.State
    PromotionPolicy.objects.filter(model=policy.model, state=State.IN_FORCE).update(
        state=State.RETIRED
    )
    _move_policy(policy, State.IN_FORCE)
    _record(actor, "policy_in_force", _policy_subject(policy))


@transaction.atomic
def close_policy(*, actor: Actor, policy_id: str) -> None:
    """Its request ended without approval; the one in force stays."""
    policy = promotion_policy_by_id(policy_id)
    _move_policy(policy, PromotionPolicy.State.REJECTED)
    _record(actor, "policy_not_approved", _policy_subject(policy))


def _move_policy(policy: PromotionPolicy, state: PromotionPolicy.State) -> None:
    moved = PromotionPolicy.objects.filter(
        pk=policy.pk, state=PromotionPolicy.State.SUBMITTED
    ).update(state=state)
    if moved != 1:
        raise StateConflict(f"The policy is {policy.get_state_display().lower()}.")


@transaction.atomic
def accept_risk(
    *, actor: Actor, version_id: str, rule: str, reason: str, days: int
) -> AcceptedRisk:
    """Answer for a rule that a version misses, for so many days; another must sign.

    InvalidInput unless the version misses this rule now; NotPermitted for whoever had
    the version made.
    """
    require(actor, "experiments.add_acceptedrisk")
    version, person = version_by_id(version_id), acting_user(actor)
    if version.author_id == person.pk:
        raise NotPermitted("You had this version made: someone else has to answer.")
    standing = standing_of(version)
    missed = sorted({one.rule for one in standing.refusals})
    if standing.policy is None or rule not in missed:
        raise InvalidInput(
            f"The version misses no rule {rule!r}; it misses "
            f"{', '.join(missed) or 'none'}."
        )
    said = reason.strip()
    if not said or len(said) > LONGEST_REASON or "\x00" in said:
        raise InvalidInput(f"Give a reason of at most {LONGEST_REASON} characters.")
    if not 1 <= days <= MOST_DAYS:
        raise InvalidInput(f"A risk is accepted for 1 to {MOST_DAYS} days.")
    risk = AcceptedRisk.objects.create(
        version=version,
        policy=standing.policy,
        rule=rule,
        reason=said,
        expires_at=timezone.now() + timedelta(days=days),
        author=person,
    )
    _record(actor, "risk_submitted", _risk_subject(risk), {"rule": rule})
    request_approval(
        actor=actor, subject_label=RISK_LABEL, subject_id=str(risk.pk), reason=said
    )
    return risk


@transaction.atomic
def settle_risk(*, actor: Actor, risk_id: str, is_accepted: bool) -> None:
    """Follows the decision of approvals: called in the transaction of it."""
    if is_accepted:
        require(actor, "approvals.sign_approvalrequest")
        require_approved(RISK_LABEL, risk_id)
    risk = risk_by_id(risk_id)
    State = AcceptedRisk.State
    moved = AcceptedRisk.objects.filter(pk=risk.pk, state=State.SUBMITTED).update(
        state=State.ACCEPTED if is_accepted else State.REJECTED
    )
    if moved != 1:
        raise StateConflict(f"The risk is {risk.get_state_display().lower()}.")
    event = "risk_accepted" if is_accepted else "risk_not_accepted"
    details = {"rule": risk.rule, "expires_at": risk.expires_at.isoformat()}
    _record(actor, event, _risk_subject(risk), details)


def _policy_subject(policy: PromotionPolicy) -> Subject:
    return Subject(POLICY_LABEL, str(policy.pk), policy_digest(policy))


def _risk_subject(risk: AcceptedRisk) -> Subject:
    return Subject(RISK_LABEL, str(risk.pk), risk_digest(risk))


def _record(
    actor: Actor,
    event: str,
    subject: Subject,
    details: Mapping[str, object] | None = None,
) -> None:
    record_event(
        actor=actor,
        event=f"experiments.{event}",
        subject=subject,
        details=details or {},
    )
