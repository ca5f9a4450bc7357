"""Every write of this app: evaluating versions, and rollouts from plan to end."""

from apps.experiments.services.evaluating import (
    DEFAULT_SEED,
    dataset_for,
    evaluate_required,
    evaluate_version,
    evaluator_named,
    queue_evaluation,
)
from apps.experiments.services.promotion import (
    accept_risk,
    close_policy,
    put_policy_in_force,
    settle_risk,
    submit_policy,
)
from apps.experiments.services.rollouts import (
    approve_rollout,
    close_submission,
    complete_rollout,
    draft_rollout,
    start_rollout,
    step_rollout,
    stop_rollout,
    submit_rollout,
)
from apps.experiments.services.shadows import record_comparison
from apps.experiments.services.sweeps import (
    advance_sweeps,
    best_manifest,
    cancel_sweep,
    start_sweep,
)
from apps.experiments.services.watching import watch_rollouts

__all__ = [
    "DEFAULT_SEED",
    "accept_risk",
    "advance_sweeps",
    "approve_rollout",
    "best_manifest",
    "cancel_sweep",
    "close_policy",
    "close_submission",
    "complete_rollout",
    "dataset_for",
    "draft_rollout",
    "evaluate_required",
    "evaluate_version",
    "evaluator_named",
    "put_policy_in_force",
    "queue_evaluation",
    "record_comparison",
    "settle_risk",
    "start_rollout",
    "start_sweep",
    "step_rollout",
    "stop_rollout",
    "submit_policy",
    "submit_rollout",
    "watch_rollouts",
]
