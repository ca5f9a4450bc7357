"""Tables of this app: rollouts with their shadows, and sweeps with their trials."""

from apps.experiments.models.rollouts import Rollout, RolloutArm, ShadowComparison
from apps.experiments.models.sweeps import Sweep, Trial

__all__ = ["Rollout", "RolloutArm", "ShadowComparison", "Sweep", "Trial"]
