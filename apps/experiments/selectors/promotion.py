"""Reading promotion policies: which is in force, and how a version stands to it."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils import timezone

from apps.approvals.models import ApprovalRequest
from apps.core.digests import digest_json
from apps.core.errors import NotFound
from apps.experiments.models import AcceptedRisk, PromotionPolicy
from apps.experiments.promotion.rules import Finding, judge, parse_rules
from apps.models_registry.models import ModelVersion
from apps.models_registry.selectors import as_uuid

POLICY_LABEL = "experiments.promotionpolicy"
RISK_LABEL = "experiments.acceptedrisk"


def promotion_policy_by_id(policy_id: str) -> PromotionPolicy:
    """With its model and author; NotFound when there is none."""
    rows = PromotionPolicy.objects.select_related("model", "author")
    found = rows.filter(pk=as_uuid(policy_id)).first()
    if found is None:
        raise NotFound(f"There is no promotion policy {policy_id}.")
    return found


def risk_by_id(risk_id: str) -> AcceptedRisk:
    """With its version and policy; NotFound when there is none."""
    rows = AcceptedRisk.objects.select_related("version__model", "policy", "author")
    found = rows.filter(pk=as_uuid(risk_id)).first()
    if found is None:
        raise NotFound(f"There is no accepted risk {risk_id}.")
    return found


def policy_digest(policy: PromotionPolicy) -> str:
    return digest_json(policy.document)


def risk_digest(risk: AcceptedRisk) -> str:
    """What is signed for: the version's reports, the rule, the reason, the day.

    Measuring the version again changes it, and with it the risk that was accepted.
    """
    reports = risk.version.reports.values_list("digest", flat=True)
    return digest_json(
        {
            "version": str(risk.version_id),
            "reports": sorted(reports),
            "policy": policy_digest(risk.policy),
            "rule": risk.rule,
            "reason": risk.reason,
            "expires_at": risk.expires_at.isoformat(),
        }
    )


def promotion_policy_of(version: ModelVersion) -> PromotionPolicy | None:
    """The one in force for its model; None when none is."""
    return PromotionPolicy.objects.filter(
        model_id=version.model_id, state=PromotionPolicy.State.IN_FORCE
    ).first()


@dataclass(frozen=True, slots=True)
class Standing:
    """Findings, the rules whose risk is accepted now, and what still refuses."""

    policy: PromotionPolicy | None
    findings: tuple[Finding, ...]
    accepted: tuple[str, ...]

    @property
    def refusals(self) -> tuple[Finding, ...]:
        return tuple(
            one
            for one in self.findings
            if not one.is_met and one.rule not in self.accepted
        )

    def as_dict(self) -> dict[str, object]:
        return {
            "policy": policy_digest(self.policy) if self.policy else None,
            "findings": [one.as_dict() for one in self.findings],
            "accepted_risks": list(self.accepted),
            "refused": bool(self.refusals),
        }


def standing_of(version: ModelVersion) -> Standing:
    """A version against the policy in force; nothing refuses while there is none."""
    policy = promotion_policy_of(version)
    if policy is None:
        return Standing(None, (), ())
    _, rules = parse_rules(policy.document)
    # The last one wins: reports come in the order of their time.
    reports = {
        report.evaluator: report.metrics
        for report in version.reports.order_by("created_at", "pk")
    }
    return Standing(policy, tuple(judge(rules, reports)), _accepted(version, policy))


def _accepted(version: ModelVersion, policy: PromotionPolicy) -> tuple[str, ...]:
    risks = AcceptedRisk.objects.filter(
        version=version,
        policy=policy,
        state=AcceptedRisk.State.ACCEPTED,
        expires_at__gt=timezone.now(),
    ).select_related("policy", "version")
    return tuple(risk.rule for risk in risks if _is_signed(risk))


def _is_signed(risk: AcceptedRisk) -> bool:
    """Whether someone signed for exactly what the risk is now."""
    return ApprovalRequest.objects.filter(
        subject_label=RISK_LABEL,
        subject_id=str(risk.pk),
        subject_digest=risk_digest(risk),
        state=ApprovalRequest.State.APPROVED,
    ).exists()
