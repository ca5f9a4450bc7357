"""Every write of the safety app, one function for each domain verb."""

from apps.safety.services.escalations import (
    acknowledge_escalation,
    notify_escalation,
    open_escalation,
    reassign_escalation,
    resolve_escalation,
    sweep_overdue_escalations,
    text_digest,
)
from apps.safety.services.policies import (
    adopt_policy,
    draft_policy,
    reopen_policy,
    retire_policy,
    revert_policy,
    submit_policy,
)

__all__ = [
    "acknowledge_escalation",
    "adopt_policy",
    "draft_policy",
    "notify_escalation",
    "open_escalation",
    "reassign_escalation",
    "reopen_policy",
    "resolve_escalation",
    "retire_policy",
    "revert_policy",
    "submit_policy",
    "sweep_overdue_escalations",
    "text_digest",
]
