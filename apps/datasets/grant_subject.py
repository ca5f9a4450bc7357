"""How the approvals app sees a grant: what would be opened to whom, and the outcome.

Two people of different roles sign for exactly this scope; the one who asked cannot.
"""

from __future__ import annotations

from datetime import timedelta

from django.core.exceptions import ValidationError
from django.utils import timezone

from apps.accounts.roles import Role
from apps.approvals.contracts import QuorumPolicy, SubjectFacts
from apps.core.actors import Actor
from apps.core.digests import digest_json
from apps.core.errors import NotFound
from apps.datasets.errors import WrongState
from apps.datasets.models import DatasetGrant
from apps.datasets.services.access import LABEL, record_grant

State = DatasetGrant.State


class DatasetGrantSubject:
    """A grant of access to rows."""

    label = LABEL
    policy = QuorumPolicy(roles=(Role.COMPLIANCE, Role.REVIEWER, Role.CLINICIAN))

    def facts(self, subject_id: str) -> SubjectFacts:
        grant = _grant(subject_id)
        scope: dict[str, object] = {
            "version": grant.version.digest,
            "program": str(grant.family_id),
            "purpose": grant.purpose,
            "columns": grant.columns,
            "where": grant.where,
            "shows_identifiers": grant.shows_identifiers,
            "days": grant.days,
            "rows": grant.row_count,
        }
        dataset = f"{grant.version.dataset.name} version {grant.version.number}"
        return SubjectFacts(
            label=self.label,
            id=str(grant.pk),
            digest=digest_json(scope),
            author_id=str(grant.requested_by_id),
            title=f"Access of {grant.program} to {dataset}",
            evidence={**scope, "program": grant.program, "dataset": dataset},
        )

    def approved(self, subject_id: str, actor: Actor) -> None:
        """REQUESTED to GRANTED, from now on and for its days."""
        grant, now = _grant(subject_id), timezone.now()
        rows = DatasetGrant.objects.filter(pk=grant.pk, state=State.REQUESTED)
        granted = rows.update(
            state=State.GRANTED,
            granted_at=now,
            expires_at=now + timedelta(days=grant.days),
        )
        if granted != 1:
            raise WrongState("Only a grant that waits can be signed for.")
        record_grant(actor, "datasets.access_granted", grant, days=grant.days)

    def closed(self, subject_id: str, actor: Actor) -> None:
        """Not granted; another request is another grant."""
        grant = _grant(subject_id)
        rows = DatasetGrant.objects.filter(pk=grant.pk, state=State.REQUESTED)
        if rows.update(state=State.REFUSED) == 1:
            record_grant(actor, "datasets.access_refused", grant)


def _grant(subject_id: str) -> DatasetGrant:
    try:
        rows = DatasetGrant.objects.select_related("version__dataset")
        return rows.get(pk=subject_id)
    except (DatasetGrant.DoesNotExist, ValidationError) as error:
        raise NotFound("There is no such grant.") from error
