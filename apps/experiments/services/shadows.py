"""Keeping what a shadow would have come to; decisions and milliseconds, no words."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from apps.accounts.permissions import require
from apps.core.actors import Actor
from apps.core.errors import NotFound
from apps.experiments.models import RolloutArm, ShadowComparison
from apps.models_registry.selectors import as_uuid


@dataclass(frozen=True, slots=True)
class Comparison:
    """One served request, and what a shadow version made of it."""

    rollout_id: UUID
    step: int
    version_id: str
    record_id: UUID
    served_decision: str
    shadow_decision: str
    is_same_reply: bool
    served_ms: float
    shadow_ms: float


def record_comparison(*, actor: Actor, found: Comparison) -> ShadowComparison:
    """The row of a comparison, once a request; NotFound for a version not in it."""
    require(actor, "experiments.add_shadowcomparison")
    arm = RolloutArm.objects.filter(
        rollout_id=found.rollout_id, version_id=as_uuid(found.version_id)
    ).first()
    if arm is None:
        raise NotFound("The rollout has no such shadow.")
    row, _ = ShadowComparison.objects.get_or_create(
        rollout_id=found.rollout_id,
        arm=arm.name,
        record_id=found.record_id,
        defaults={
            "step": found.step,
            "served_decision": found.served_decision,
            "shadow_decision": found.shadow_decision,
            "is_same_reply": found.is_same_reply,
            "served_ms": found.served_ms,
            "shadow_ms": found.shadow_ms,
        },
    )
    return row
