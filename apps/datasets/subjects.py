"""How the approvals app sees a dataset version: facts in, the outcome back.

Only the approvals services call this, inside their transaction. The state moves by a
conditional update, so an outcome that arrives late changes nothing.
"""

from __future__ import annotations

import uuid

from django.core.exceptions import ValidationError

from apps.accounts.roles import Role
from apps.approvals.contracts import QuorumPolicy, SubjectFacts
from apps.core.actors import Actor
from apps.core.errors import NotFound
from apps.datasets.errors import WrongState
from apps.datasets.models import DatasetVersion
from apps.datasets.selectors import (
    SUBJECT_LABEL,
    latest_report,
    report_summary,
    subject_digest,
)
from apps.datasets.services.records import record_version_event

State = DatasetVersion.State


class DatasetVersionSubject:
    """Two people of different roles sign for a dataset version."""

    label = SUBJECT_LABEL
    policy = QuorumPolicy(roles=(Role.REVIEWER, Role.COMPLIANCE, Role.CLINICIAN))

    def facts(self, subject_id: str) -> SubjectFacts:
        version = _version(subject_id)
        report = latest_report(version)
        return SubjectFacts(
            label=self.label,
            id=str(version.pk),
            digest=subject_digest(version),
            author_id=str(version.author_id),
            title=f"Dataset {version.dataset.name} version {version.number}",
            evidence={
                "content_digest": version.digest,
                "row_count": version.row_count,
                "licence": version.dataset.licence,
                "purpose": version.dataset.purpose,
                "validation": report_summary(report) if report else {},
            },
        )

    def approved(self, subject_id: str, actor: Actor) -> None:
        """SUBMITTED to APPROVED; WrongState otherwise, which undoes the sign-off."""
        if not _moved(subject_id, State.SUBMITTED, State.APPROVED):
            raise WrongState("Only a submitted dataset version can be approved.")
        record_version_event(
            actor, "datasets.version_approved", _version(subject_id), {}
        )

    def closed(self, subject_id: str, actor: Actor) -> None:
        """Back to VALIDATED, from where it can be submitted again."""
        if _moved(subject_id, State.SUBMITTED, State.VALIDATED):
            record_version_event(
                actor, "datasets.version_returned", _version(subject_id), {}
            )


def _version(subject_id: str) -> DatasetVersion:
    try:
        return DatasetVersion.objects.select_related("dataset").get(
            pk=uuid.UUID(subject_id)
        )
    except (DatasetVersion.DoesNotExist, ValueError, ValidationError) as error:
        raise NotFound("There is no such dataset version.") from error


def _moved(subject_id: str, old: State, new: State) -> bool:
    rows = DatasetVersion.objects.filter(pk=subject_id, state=old)
    return rows.update(state=new) == 1
