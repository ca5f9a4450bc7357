"""A rollout from plan to end: drafted, signed for, started, led on, stopped, completed.

No share reaches people before a quorum signed for the plan and its versions, and every
version must still be approved itself at each move. Ending a rollout needs no approval:
the way back is always open.
"""

from __future__ import annotations

import secrets

from django.db import IntegrityError, transaction
from django.utils import timezone

from apps.accounts.permissions import acting_user, require
from apps.approvals.models import ApprovalRequest
from apps.approvals.selectors import require_approved
from apps.approvals.services import request_approval
from apps.core.actors import Actor
from apps.core.errors import InvalidInput, StateConflict
from apps.experiments.errors import RolloutNotReady
from apps.experiments.models import Rollout, RolloutArm
from apps.experiments.rollouts.guards import waits_for
from apps.experiments.rollouts.plan import CONTROL, Plan, parse_plan
from apps.experiments.selectors.rollouts import (
    ROLLOUT_LABEL,
    arm_named,
    findings_of,
    minutes_in_step,
    plan_of,
    rollout_by_id,
)
from apps.experiments.services.rollout_states import (
    State,
    end_rollout,
    move_rollout,
    record_rollout_event,
    require_running,
    require_versions,
    said,
)
from apps.inference.selectors import production_version_id
from apps.models_registry.models import ModelVersion
from apps.models_registry.selectors import (
    model_named,
    version_by_id,
    version_digest,
    version_numbered,
)
from apps.models_registry.services import promote_version


@transaction.atomic
def draft_rollout(*, actor: Actor, document: object) -> Rollout:
    """A rollout of this plan, beside the version in production now.

    PlanInvalid with every problem; NotFound for a model or version; NothingServed
    when nothing is in production to compare with.
    """
    require(actor, "experiments.add_rollout")
    plan = parse_plan(document)
    model = model_named(plan.model)
    control = version_by_id(str(production_version_id(plan.model)))
    rollout = Rollout.objects.create(
        model=model,
        plan=document,
        salt=secrets.token_hex(16),
        author=acting_user(actor),
    )
    RolloutArm.objects.bulk_create(
        RolloutArm(
            rollout=rollout,
            name=name,
            version=version,
            version_digest=version_digest(version),
        )
        for name, version in _versions(plan, control).items()
    )
    rollout = rollout_by_id(str(rollout.pk))
    record_rollout_event(actor, "rollout_drafted", rollout)
    return rollout


def _versions(plan: Plan, control: ModelVersion) -> dict[str, ModelVersion]:
    found = {CONTROL: control}
    for arm, number in plan.arms.items():
        found[arm] = version_numbered(plan.model, number)
        if found[arm].pk == control.pk:
            raise InvalidInput(f"{arm}: version {number} is in production already.")
    return found


@transaction.atomic
def submit_rollout(
    *, actor: Actor, rollout_id: str, reason: str = ""
) -> ApprovalRequest:
    """Ask for sign-off; NotApproved while a version has not been signed for itself."""
    require(actor, "experiments.submit_rollout")
    rollout = rollout_by_id(rollout_id)
    require_versions(rollout)
    move_rollout(rollout, (State.DRAFT, State.SUBMITTED), State.SUBMITTED)
    record_rollout_event(actor, "rollout_submitted", rollout)
    return request_approval(
        actor=actor, subject_label=ROLLOUT_LABEL, subject_id=rollout_id, reason=reason
    )


@transaction.atomic
def approve_rollout(*, actor: Actor, rollout_id: str) -> None:
    """Called by approvals in the transaction of the deciding signature."""
    require(actor, "approvals.sign_approvalrequest")
    require_approved(ROLLOUT_LABEL, rollout_id)
    rollout = rollout_by_id(rollout_id)
    move_rollout(rollout, (State.SUBMITTED,), State.APPROVED)
    record_rollout_event(actor, "rollout_approved", rollout)


@transaction.atomic
def close_submission(*, actor: Actor, rollout_id: str) -> None:
    """A request ended without approval: rejected for good, or a draft again."""
    rollout = rollout_by_id(rollout_id)
    last = (
        ApprovalRequest.objects.filter(
            subject_label=ROLLOUT_LABEL,
            subject_id=rollout_id,
            decided_at__isnull=False,
        )
        .order_by("-decided_at")
        .first()
    )
    rejected = last is not None and last.state == ApprovalRequest.State.REJECTED
    move_rollout(
        rollout, (State.SUBMITTED,), State.REJECTED if rejected else State.DRAFT
    )
    record_rollout_event(actor, "rollout_submission_closed", rollout)


@transaction.atomic
def start_rollout(*, actor: Actor, rollout_id: str) -> Rollout:
    """The first step; from the next second requests go where the plan says.

    NotApproved unless signed for as it stands; StateConflict when production has moved
    on, or another rollout of the model runs.
    """
    require(actor, "experiments.start_rollout")
    rollout = rollout_by_id(rollout_id)
    approval = require_approved(ROLLOUT_LABEL, rollout_id)
    require_versions(rollout)
    control = arm_named(rollout, CONTROL)
    if production_version_id(rollout.model.name) != control.version_id:
        raise StateConflict(
            f"Production is not version {control.version.number} any more: draft the "
            "rollout anew against the version that is."
        )
    now = timezone.now()
    try:
        with transaction.atomic():
            move_rollout(
                rollout,
                (State.APPROVED,),
                State.RUNNING,
                {"started_at": now, "step_started_at": now},
            )
    except IntegrityError as error:
        raise StateConflict(
            f"Another rollout of {rollout.model.name} is running: stop it first."
        ) from error
    record_rollout_event(
        actor, "rollout_started", rollout, {"approval": str(approval.pk)}
    )
    return rollout_by_id(rollout_id)


@transaction.atomic
def step_rollout(*, actor: Actor, rollout_id: str) -> Rollout:
    """The next step of the plan; RolloutNotReady with what it waits for."""
    require(actor, "experiments.step_rollout")
    rollout = rollout_by_id(rollout_id)
    require_running(rollout)
    require_approved(ROLLOUT_LABEL, rollout_id)
    require_versions(rollout)
    plan, findings = plan_of(rollout), findings_of(rollout)
    reasons = waits_for(plan, findings, minutes_in_step(rollout))
    if rollout.step + 1 >= len(plan.steps):
        reasons = ("there is no further step: complete it, or stop it",)
    if reasons:
        raise RolloutNotReady(
            f"The rollout stays at step {rollout.step}: {'; '.join(reasons)}.",
            extra={"waits_for": list(reasons)},
        )
    moved = Rollout.objects.filter(
        pk=rollout.pk, state=State.RUNNING, step=rollout.step
    ).update(step=rollout.step + 1, step_started_at=timezone.now())
    if moved != 1:
        raise StateConflict("Someone else moved the rollout at this moment.")
    record_rollout_event(
        actor,
        "rollout_stepped",
        rollout,
        {"from": rollout.step, "to": rollout.step + 1, "findings": findings.as_dict()},
    )
    return rollout_by_id(rollout_id)


@transaction.atomic
def stop_rollout(*, actor: Actor, rollout_id: str, reason: str) -> Rollout:
    """The kill switch: within a second everybody is answered by production again."""
    require(actor, "experiments.stop_rollout")
    rollout = rollout_by_id(rollout_id)
    require_running(rollout)
    # Nothing is counted here: stopping must not wait for a sum over every request.
    end_rollout(actor, rollout, State.STOPPED, said(reason), {})
    return rollout_by_id(rollout_id)


@transaction.atomic
def complete_rollout(
    *, actor: Actor, rollout_id: str, arm: str, reason: str
) -> Rollout:
    """Promote an arm that has passed the last step, and end the rollout with it.

    The promotion is the registry's own: it needs its permission and approval.
    RolloutNotReady before the last step is passed.
    """
    require(actor, "experiments.step_rollout")
    rollout = rollout_by_id(rollout_id)
    require_running(rollout)
    plan, findings = plan_of(rollout), findings_of(rollout)
    chosen = arm_named(rollout, arm)
    reasons = list(waits_for(plan, findings, minutes_in_step(rollout)))
    left = len(plan.steps) - 1 - rollout.step
    if left:
        reasons.append(f"{left} further steps")
    if reasons:
        raise RolloutNotReady(
            f"The rollout is not at its end: {'; '.join(reasons)}.",
            extra={"waits_for": reasons},
        )
    why = said(reason)
    end_rollout(actor, rollout, State.COMPLETED, why, findings.as_dict())
    promote_version(actor=actor, version_id=str(chosen.version_id), reason=why[:200])
    return rollout_by_id(rollout_id)
