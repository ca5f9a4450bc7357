"""The audit entry of a version: who did what to which content."""

from __future__ import annotations

from collections.abc import Mapping

from apps.audit.services import record_event
from apps.core.actors import Actor, Subject
from apps.datasets.models import DatasetVersion
from apps.datasets.selectors import SUBJECT_LABEL


def record_version_event(
    actor: Actor, event: str, version: DatasetVersion, details: Mapping[str, object]
) -> None:
    """Append an entry about a version, in the transaction that is open."""
    record_event(
        actor=actor,
        event=event,
        subject=Subject(SUBJECT_LABEL, str(version.pk), version.digest),
        details=details,
    )
