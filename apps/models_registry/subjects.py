"""How approvals sees a model version: facts, evidence, and what follows a decision."""

from __future__ import annotations

from apps.accounts.roles import Role
from apps.approvals.contracts import QuorumPolicy, SubjectFacts
from apps.core.actors import Actor
from apps.models_registry import services
from apps.models_registry.selectors import (
    SUBJECT_LABEL,
    lineage_of,
    version_by_id,
    version_digest,
)


class ModelVersionSubject:
    """Two people of different roles; named in ``PE_APPROVAL_SUBJECTS``."""

    label = SUBJECT_LABEL
    policy = QuorumPolicy(
        roles=(Role.CLINICIAN.value, Role.REVIEWER.value, Role.COMPLIANCE.value),
        quorum=2,
    )

    def facts(self, subject_id: str) -> SubjectFacts:
        version = version_by_id(subject_id)
        lineage = lineage_of(version)
        return SubjectFacts(
            label=self.label,
            id=subject_id,
            digest=version_digest(version),
            author_id=str(version.author_id),
            title=f"Model {version.model.name} version {version.number}",
            evidence={
                "manifest": lineage.manifest_digest,
                "datasets": lineage.datasets,
                "artifacts": lineage.artifacts,
                "reports": {
                    report.evaluator: report.digest for report in version.reports.all()
                },
            },
        )

    def approved(self, subject_id: str, actor: Actor) -> None:
        services.mark_approved(actor=actor, version_id=subject_id)

    def closed(self, subject_id: str, actor: Actor) -> None:
        services.close_submission(actor=actor, version_id=subject_id)
