"""Screens of this app: rollouts, sweeps, promotion policies and accepted risks."""

from apps.experiments.admin.promotion import AcceptedRiskAdmin, PromotionPolicyAdmin
from apps.experiments.admin.rollouts import (
    RolloutAdmin,
    RolloutArmAdmin,
    ShadowComparisonAdmin,
)
from apps.experiments.admin.sweeps import SweepAdmin, TrialAdmin

__all__ = [
    "AcceptedRiskAdmin",
    "PromotionPolicyAdmin",
    "RolloutAdmin",
    "RolloutArmAdmin",
    "ShadowComparisonAdmin",
    "SweepAdmin",
    "TrialAdmin",
]
