"""Screens of this app: rollouts with their arms, sweeps with their trials."""

from apps.experiments.admin.rollouts import (
    RolloutAdmin,
    RolloutArmAdmin,
    ShadowComparisonAdmin,
)
from apps.experiments.admin.sweeps import SweepAdmin, TrialAdmin

__all__ = [
    "RolloutAdmin",
    "RolloutArmAdmin",
    "ShadowComparisonAdmin",
    "SweepAdmin",
    "TrialAdmin",
]
