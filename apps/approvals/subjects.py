"""Finding the plug-in that speaks for a subject label."""

from __future__ import annotations

from django.conf import settings
from django.utils.module_loading import import_string

from apps.approvals.contracts import ApprovalSubject
from apps.core.errors import InvalidInput


def subject_for(label: str) -> ApprovalSubject:
    """The plug-in of a label; InvalidInput when nothing speaks for it."""
    path = settings.PE_APPROVAL_SUBJECTS.get(label)
    if path is None:
        known = ", ".join(sorted(settings.PE_APPROVAL_SUBJECTS)) or "none"
        raise InvalidInput(f"{label} is not approvable here; known: {known}.")
    subject: ApprovalSubject = import_string(path)()
    return subject
