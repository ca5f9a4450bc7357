"""Screens of the safety app: policies and the crisis desk."""

from apps.safety.admin.disagreements import JudgeDisagreementAdmin
from apps.safety.admin.escalations import EscalationAdmin
from apps.safety.admin.policies import SafetyPolicyAdmin

__all__ = ["EscalationAdmin", "JudgeDisagreementAdmin", "SafetyPolicyAdmin"]
