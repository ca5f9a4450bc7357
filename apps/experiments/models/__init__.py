"""Tables of this app: rollouts, sweeps, promotion policies and accepted risks."""

from apps.experiments.models.promotion import AcceptedRisk, PromotionPolicy
from apps.experiments.models.rollouts import Rollout, RolloutArm, ShadowComparison
from apps.experiments.models.sweeps import Sweep, Trial

__all__ = [
    "AcceptedRisk",
    "PromotionPolicy",
    "Rollout",
    "RolloutArm",
    "ShadowComparison",
    "Sweep",
    "Trial",
]
