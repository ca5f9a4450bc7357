"""How approvals sees a model version: facts, evidence, and what follows a decision."""

from __future__ import annotations

from apps.accounts.roles import Role
from apps.approvals.contracts import QuorumPolicy, SubjectFacts
from apps.core.actors import Actor
from apps.models_registry import services
from apps.models_registry.models import EvaluationReport
from apps.models_registry.promotion_rule import promotion_rule
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
                "card": version.card,
                "overall": [
                    number
                    for report in version.reports.all()
                    for number in _overall(report)
                ],
                "reports": {
                    report.evaluator: report.digest for report in version.reports.all()
                },
                "promotion_policy": promotion_rule().evidence(subject_id),
                "manifest": lineage.manifest_digest,
                "datasets": lineage.datasets,
                "artifacts": lineage.artifacts,
            },
        )

    def approved(self, subject_id: str, actor: Actor) -> None:
        services.mark_approved(actor=actor, version_id=subject_id)

    def closed(self, subject_id: str, actor: Actor) -> None:
        services.close_submission(actor=actor, version_id=subject_id)


def _overall(report: EvaluationReport) -> list[dict[str, object]]:
    """The numbers over everybody; those by subgroup stand in the report."""
    return [
        {
            "report": report.evaluator,
            "metric": metric["name"],
            "value": _rounded(metric["value"]),
            "from": _rounded(metric["low"]),
            "to": _rounded(metric["high"]),
            "count": metric["count"],
            "better": metric["direction"],
        }
        for metric in report.metrics
        if not metric["slice"]
    ]


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 3)
