"""How approvals sees rollouts, promotion policies and accepted risks."""

from __future__ import annotations

from apps.accounts.roles import Role
from apps.approvals.contracts import QuorumPolicy, SubjectFacts
from apps.core.actors import Actor
from apps.experiments import services
from apps.experiments.selectors.promotion import (
    POLICY_LABEL,
    RISK_LABEL,
    policy_digest,
    promotion_policy_by_id,
    risk_by_id,
    risk_digest,
    standing_of,
)
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


class PromotionPolicySubject:
    """Two people of different roles; named in ``PE_APPROVAL_SUBJECTS``."""

    label = POLICY_LABEL
    policy = QuorumPolicy(
        roles=(Role.CLINICIAN.value, Role.REVIEWER.value, Role.COMPLIANCE.value),
        quorum=2,
    )

    def facts(self, subject_id: str) -> SubjectFacts:
        policy = promotion_policy_by_id(subject_id)
        return SubjectFacts(
            label=self.label,
            id=subject_id,
            digest=policy_digest(policy),
            author_id=str(policy.author_id),
            title=f"Promotion policy of {policy.model.name}",
            evidence={"rules": policy.document["rules"]},
        )

    def approved(self, subject_id: str, actor: Actor) -> None:
        services.put_policy_in_force(actor=actor, policy_id=subject_id)

    def closed(self, subject_id: str, actor: Actor) -> None:
        services.close_policy(actor=actor, policy_id=subject_id)


class AcceptedRiskSubject:
    """A second person, clinician or compliance officer, signs with the first."""

    label = RISK_LABEL
    policy = QuorumPolicy(
        roles=(Role.CLINICIAN.value, Role.COMPLIANCE.value), quorum=1, expires_days=7
    )

    def facts(self, subject_id: str) -> SubjectFacts:
        risk = risk_by_id(subject_id)
        standing = standing_of(risk.version)
        return SubjectFacts(
            label=self.label,
            id=subject_id,
            digest=risk_digest(risk),
            author_id=str(risk.author_id),
            title=f"Risk of {risk.version.model.name} version {risk.version.number}",
            evidence={
                "rule": risk.rule,
                "accepted_by": risk.author.get_username(),
                "reason": risk.reason,
                "expires_at": risk.expires_at.isoformat(),
                "findings": [
                    one.as_dict() for one in standing.findings if one.rule == risk.rule
                ],
            },
        )

    def approved(self, subject_id: str, actor: Actor) -> None:
        services.settle_risk(actor=actor, risk_id=subject_id, is_accepted=True)

    def closed(self, subject_id: str, actor: Actor) -> None:
        services.settle_risk(actor=actor, risk_id=subject_id, is_accepted=False)
