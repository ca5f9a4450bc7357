"""Errors of the approvals app."""

from __future__ import annotations

from apps.core.errors import NotPermitted, StateConflict


class NotYourSignature(NotPermitted):
    """Separation of duties: this person may not sign this request."""

    code = "separation_of_duties"
    title = "Separation of duties"


class RequestClosed(StateConflict):
    """The request is no longer pending."""

    code = "approval_request_closed"
    title = "Approval request closed"


class SubjectChanged(StateConflict):
    """The subject is not what was submitted; the request and its sign-offs are void."""

    code = "approval_subject_changed"
    title = "Subject changed since submission"


class NotApproved(StateConflict):
    """No approved request covers the subject as it stands now."""

    code = "not_approved"
    title = "Not approved"
