"""Every write of the safety app, one function for each domain verb."""

from apps.safety.cases import text_digest
from apps.safety.services.disagreements import (
    export_disagreements,
    queue_disagreements,
    review_disagreement,
)
from apps.safety.services.escalations import (
    acknowledge_escalation,
    open_case,
    open_escalation,
    reassign_escalation,
    resolve_escalation,
)
from apps.safety.services.notifications import deliver_notifications, notify_escalation
from apps.safety.services.policies import (
    adopt_policy,
    draft_policy,
    reopen_policy,
    retire_policy,
    revert_policy,
    submit_policy,
)
from apps.safety.services.referrals import export_referrals
from apps.safety.services.spooled import open_spooled_cases
from apps.safety.services.sweeping import sweep_overdue_escalations
from apps.safety.services.texts import read_escalation_text

__all__ = [
    "acknowledge_escalation",
    "adopt_policy",
    "deliver_notifications",
    "draft_policy",
    "export_disagreements",
    "export_referrals",
    "notify_escalation",
    "open_case",
    "open_escalation",
    "open_spooled_cases",
    "queue_disagreements",
    "read_escalation_text",
    "reassign_escalation",
    "reopen_policy",
    "resolve_escalation",
    "retire_policy",
    "revert_policy",
    "review_disagreement",
    "submit_policy",
    "sweep_overdue_escalations",
    "text_digest",
]
