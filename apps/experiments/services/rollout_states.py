"""Steps that every verb of a rollout shares: moving it, ending it, recording it."""

from __future__ import annotations

from collections.abc import Mapping

from django.utils import timezone

from apps.approvals.selectors import approved_request
from apps.audit.services import record_event
from apps.core.actors import Actor, Subject
from apps.core.errors import InvalidInput, StateConflict
from apps.experiments.models import Rollout
from apps.experiments.selectors.rollouts import ROLLOUT_LABEL, rollout_digest
from apps.models_registry.models import ModelVersion
from apps.models_registry.selectors import SUBJECT_LABEL

State = Rollout.State
LONGEST_REASON = 300


def end_rollout(
    actor: Actor,
    rollout: Rollout,
    state: Rollout.State,
    reason: str,
    evidence: Mapping[str, object],
) -> None:
    """Close a running rollout with its evidence, audited; in an open transaction."""
    shown = dict(evidence)
    move_rollout(
        rollout,
        (State.RUNNING,),
        state,
        {"ended_at": timezone.now(), "end_reason": reason, "evidence": shown},
    )
    record_rollout_event(
        actor, f"rollout_{state.value}", rollout, {"reason": reason, "findings": shown}
    )


def record_rollout_event(
    actor: Actor,
    event: str,
    rollout: Rollout,
    details: Mapping[str, object] | None = None,
) -> None:
    record_event(
        actor=actor,
        event=f"experiments.{event}",
        subject=Subject(ROLLOUT_LABEL, str(rollout.pk), rollout_digest(rollout)),
        details={
            "model": rollout.model.name,
            "step": rollout.step,
            **(details or {}),
        },
    )


def require_versions(rollout: Rollout) -> None:
    """NotApproved unless every arm is signed for with the digest it was planned by."""
    for arm in rollout.arms.all():
        approved_request(SUBJECT_LABEL, str(arm.version_id), arm.version_digest)
        if arm.version.state != ModelVersion.State.APPROVED:
            raise StateConflict(
                f"{arm.name}: version {arm.version.number} is {arm.version.state}."
            )


def require_running(rollout: Rollout) -> None:
    if not rollout.is_running:
        raise StateConflict(f"The rollout is {rollout.get_state_display().lower()}.")


def said(reason: str) -> str:
    words = reason.strip()
    if not words or "\x00" in words:
        raise InvalidInput("Say why, in words that can be stored.")
    return words[:LONGEST_REASON]


def move_rollout(
    rollout: Rollout,
    from_states: tuple[Rollout.State, ...],
    to_state: Rollout.State,
    also: Mapping[str, object] | None = None,
) -> None:
    moved = Rollout.objects.filter(
        pk=rollout.pk, state__in=[state.value for state in from_states]
    ).update(state=to_state, **(also or {}))
    if moved != 1:
        raise StateConflict(
            f"The rollout is {rollout.get_state_display().lower()}; this needs it to "
            f"be {' or '.join(state.value for state in from_states)}."
        )
    rollout.state = to_state
