"""Start-up checks: a subject that cannot be loaded, a quorum nobody can meet."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, register
from django.utils.module_loading import import_string


# Any: Django passes app configs and keyword options that this check does not read.
@register()
def check_subjects(**_: Any) -> list[CheckMessage]:
    return [
        Error(
            f"PE_APPROVAL_SUBJECTS[{label!r}] = {path!r}: {problem}.",
            hint="Name a class that follows apps.approvals.contracts.ApprovalSubject.",
            id="approvals.E001",
        )
        for label, path in settings.PE_APPROVAL_SUBJECTS.items()
        if (problem := _problem(label, path))
    ]


def _problem(label: str, path: str) -> str:
    try:
        subject = import_string(path)()
    except ImportError:
        return "cannot be imported"
    if subject.label != label:
        return f"calls itself {subject.label!r}"
    if not 1 <= subject.policy.quorum <= len(set(subject.policy.roles)):
        return "its quorum is more than the roles that may sign"
    return ""
