"""What the approvals app asks about a safety policy, and tells it."""

from __future__ import annotations

from apps.approvals.contracts import QuorumPolicy, SubjectFacts
from apps.core.actors import Actor
from apps.core.digests import digest_json
from apps.core.errors import NotFound
from apps.safety import services
from apps.safety.differences import changes_between
from apps.safety.models import SafetyPolicy
from apps.safety.selectors import document_in_force


class SafetyPolicySubject:
    """A safety policy takes a clinician's and a compliance officer's signature."""

    label = "safety.safetypolicy"
    policy = QuorumPolicy(roles=("clinician", "compliance_officer"), quorum=2)

    def facts(self, subject_id: str) -> SubjectFacts:
        """The policy as it stands; the digest is computed from the stored document."""
        row = SafetyPolicy.objects.filter(pk=subject_id).first()
        if row is None:
            raise NotFound("There is no such safety policy.")
        return SubjectFacts(
            label=self.label,
            id=str(row.pk),
            digest=digest_json(row.document),
            author_id=str(row.author_id),
            title=f"Safety policy {row.name} v{row.version}",
            evidence={
                "name": row.name,
                "version": row.version,
                "starts": row.document.get("effective_from", "when it is approved"),
                "changes": _changes(row),
            },
        )

    def approved(self, subject_id: str, actor: Actor) -> None:
        services.adopt_policy(actor=actor, policy_id=subject_id)

    def closed(self, subject_id: str, actor: Actor) -> None:
        services.reopen_policy(actor=actor, policy_id=subject_id)


def _changes(row: SafetyPolicy) -> list[dict[str, object]] | str:
    """What differs from the version in force, place by place."""
    present = document_in_force(row.name)
    if present is None:
        return "No version of this policy is in force."
    return [
        {"place": one.place, "in force": one.before, "this version": one.after}
        for one in changes_between(present, row.document)
    ]
