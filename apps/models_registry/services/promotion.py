"""From candidate to production: submission, the outcome of signing, and aliases.

An alias moves in one place, ``_move_alias``, and only to a version whose content, as it
stands at that moment, has been signed for. Rolling back is the same move.
"""

from __future__ import annotations

from django.db import IntegrityError, transaction
from django.utils import timezone

from apps.accounts.permissions import acting_user, require
from apps.approvals.models import ApprovalRequest
from apps.approvals.selectors import require_approved
from apps.approvals.services import request_approval
from apps.core.actors import Actor
from apps.core.errors import InvalidInput, StateConflict
from apps.models_registry.errors import (
    NothingToRollBackTo,
    PolicyNotMet,
    ReportsMissing,
)
from apps.models_registry.models import AliasChange, ModelAlias, ModelVersion
from apps.models_registry.promotion_rule import promotion_rule
from apps.models_registry.selectors import (
    PRODUCTION,
    SUBJECT_LABEL,
    missing_reports,
    model_named,
    version_by_id,
    version_digest,
)
from apps.models_registry.services.states import (
    State,
    move_version,
    record_version_event,
)


@transaction.atomic
def submit_version(
    *, actor: Actor, version_id: str, reason: str = ""
) -> ApprovalRequest:
    """Ask for sign-off on a version as it stands now.

    ReportsMissing until every required evaluator has reported; PolicyNotMet while the
    promotion policy refuses what they say; InvalidInput without a card.
    """
    require(actor, "models_registry.submit_modelversion")
    version = version_by_id(version_id)
    absent = missing_reports(version)
    if absent:
        raise ReportsMissing(
            f"{version.model.name} version {version.number} has no report by "
            f"{', '.join(absent)}: evaluate it first."
        )
    _require_policy(version)
    if not version.card.strip():
        raise InvalidInput("Write the model card first: it is part of what is signed.")
    move_version(version, (State.CANDIDATE, State.SUBMITTED), State.SUBMITTED)
    record_version_event(actor, "version_submitted", version)
    return request_approval(
        actor=actor, subject_label=SUBJECT_LABEL, subject_id=version_id, reason=reason
    )


@transaction.atomic
def mark_approved(*, actor: Actor, version_id: str) -> None:
    """Called by approvals in the transaction of the deciding signature."""
    require(actor, "approvals.sign_approvalrequest")
    version = version_by_id(version_id)
    require_approved(SUBJECT_LABEL, version_id)
    move_version(version, (State.SUBMITTED,), State.APPROVED)
    record_version_event(actor, "version_approved", version)


@transaction.atomic
def close_submission(*, actor: Actor, version_id: str) -> None:
    """A request ended without approval: rejected, or a candidate again.

    Not a decision of its own: it follows the request that approvals has just closed.
    """
    version = version_by_id(version_id)
    closed = (
        ApprovalRequest.objects.filter(
            subject_label=SUBJECT_LABEL, subject_id=version_id, decided_at__isnull=False
        )
        .order_by("-decided_at")
        .first()
    )
    if version.state != State.SUBMITTED or closed is None:
        return
    rejected = closed.state == ApprovalRequest.State.REJECTED
    move_version(
        version, (State.SUBMITTED,), State.REJECTED if rejected else State.CANDIDATE
    )
    record_version_event(actor, "submission_closed", version, {"as": closed.state})


@transaction.atomic
def promote_version(
    *, actor: Actor, version_id: str, alias: str = PRODUCTION, reason: str
) -> ModelAlias:
    """Point an alias at a version; NotApproved unless signed for as it stands,
    PolicyNotMet while the promotion policy refuses its reports."""
    require(actor, "models_registry.promote_modelversion")
    version = version_by_id(version_id)
    # Asked again here: an accepted risk may have run out since the version was signed
    # for. Not asked on the way back, which stays open.
    _require_policy(version)
    return _move_alias(actor, version, alias, reason, False)


def _require_policy(version: ModelVersion) -> None:
    refusals = promotion_rule().refusals(str(version.pk))
    if refusals:
        raise PolicyNotMet(
            f"{version.model.name} version {version.number} does not meet the "
            f"promotion policy. {'. '.join(refusals)}.",
            extra={"refusals": refusals},
        )


@transaction.atomic
def rollback_alias(
    *, actor: Actor, model_name: str, alias: str = PRODUCTION, reason: str
) -> ModelAlias:
    """Point an alias back at the version it pointed at before its last promotion."""
    require(actor, "models_registry.rollback_modelalias")
    previous = _previous_version(model_name, alias)
    return _move_alias(actor, previous, alias, reason, True)


def _previous_version(model_name: str, alias: str) -> ModelVersion:
    """What stood before the present version first came."""
    current = ModelAlias.objects.filter(
        model=model_named(model_name), name=alias
    ).first()
    arrived = (
        AliasChange.objects.filter(
            model__name=model_name, alias=alias, to_version=current.version_id
        )
        .order_by("id")
        .first()
        if current
        else None
    )
    if arrived is None or arrived.from_version_id is None:
        raise NothingToRollBackTo(
            f"The alias {alias} of {model_name} has no earlier version."
        )
    return version_by_id(str(arrived.from_version_id))


def _move_alias(
    actor: Actor, version: ModelVersion, alias: str, reason: str, is_rollback: bool
) -> ModelAlias:
    if not reason.strip():
        raise InvalidInput("Say why: an alias moves with a reason.")
    approval = require_approved(SUBJECT_LABEL, str(version.pk))
    if version.state != State.APPROVED:
        raise StateConflict(
            f"{version.model.name} version {version.number} is {version.state}."
        )
    current = (
        ModelAlias.objects.select_for_update()
        .filter(model=version.model, name=alias)
        .first()
    )
    if current is not None and current.version_id == version.pk:
        return current
    row = _point(current, version, alias)
    AliasChange.objects.create(
        model=version.model,
        alias=alias,
        from_version_id=current.version_id if current else None,
        to_version=version,
        to_digest=version_digest(version),
        approval_id=approval.pk,
        reason=reason.strip()[:200],
        is_rollback=is_rollback,
        changed_by=acting_user(actor),
        changed_at=row.changed_at,
    )
    event = "alias_rolled_back" if is_rollback else "version_promoted"
    record_version_event(
        actor, event, version, {"alias": alias, "approval": str(approval.pk)}
    )
    return row


def _point(current: ModelAlias | None, version: ModelVersion, alias: str) -> ModelAlias:
    now = timezone.now()
    if current is None:
        try:
            return ModelAlias.objects.create(
                model=version.model, name=alias, version=version, changed_at=now
            )
        except IntegrityError as error:
            raise StateConflict(f"{alias} was set by someone else just now.") from error
    moved = ModelAlias.objects.filter(
        pk=current.pk, version_id=current.version_id
    ).update(version=version, changed_at=now)
    if moved != 1:
        raise StateConflict(f"{alias} was moved by someone else just now.")
    return ModelAlias.objects.get(pk=current.pk)
