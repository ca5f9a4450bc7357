"""Tables of the safety app."""

from apps.safety.models.disagreements import JudgeDisagreement
from apps.safety.models.escalations import Escalation, EscalationStep
from apps.safety.models.notices import EscalationText, NotificationAttempt
from apps.safety.models.policies import SafetyPolicy

__all__ = [
    "Escalation",
    "EscalationStep",
    "EscalationText",
    "JudgeDisagreement",
    "NotificationAttempt",
    "SafetyPolicy",
]
