"""Every write of this app: evaluating versions, and rollouts from plan to end."""

from apps.experiments.services.evaluating import (
    DEFAULT_SEED,
    dataset_for,
    evaluate_required,
    evaluate_version,
    evaluator_named,
    queue_evaluation,
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
    "advance_sweeps",
    "approve_rollout",
    "best_manifest",
    "cancel_sweep",
    "close_submission",
    "complete_rollout",
    "dataset_for",
    "draft_rollout",
    "evaluate_required",
    "evaluate_version",
    "evaluator_named",
    "queue_evaluation",
    "record_comparison",
    "start_rollout",
    "start_sweep",
    "step_rollout",
    "stop_rollout",
    "submit_rollout",
    "watch_rollouts",
]
