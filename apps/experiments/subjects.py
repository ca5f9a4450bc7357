"""How approvals sees a rollout: facts, a preview of what it touches, what follows."""

from __future__ import annotations

from apps.accounts.roles import Role
from apps.approvals.contracts import QuorumPolicy, SubjectFacts
from apps.core.actors import Actor
from apps.experiments import services
from apps.experiments.selectors.rollouts import (
    ROLLOUT_LABEL,
    preview_of,
    rollout_by_id,
    rollout_digest,
)


class RolloutSubject:
    """Two people of different roles; named in ``PE_APPROVAL_SUBJECTS``."""

    label = ROLLOUT_LABEL
    policy = QuorumPolicy(
        roles=(Role.CLINICIAN.value, Role.REVIEWER.value, Role.COMPLIANCE.value),
        quorum=2,
    )

    def facts(self, subject_id: str) -> SubjectFacts:
        rollout = rollout_by_id(subject_id)
        return SubjectFacts(
            label=self.label,
            id=subject_id,
            digest=rollout_digest(rollout),
            author_id=str(rollout.author_id),
            title=f"Rollout of {rollout.model.name}",
            evidence=preview_of(rollout),
        )

    def approved(self, subject_id: str, actor: Actor) -> None:
        services.approve_rollout(actor=actor, rollout_id=subject_id)

    def closed(self, subject_id: str, actor: Actor) -> None:
        services.close_submission(actor=actor, rollout_id=subject_id)
