"""Errors of the experiments app."""

from __future__ import annotations

from apps.core.errors import InvalidInput, StateConflict


class DatasetDoesNotFit(InvalidInput):
    """An evaluator cannot measure on this dataset version."""

    code = "dataset_does_not_fit"
    title = "Dataset does not fit the evaluator"


class PlanInvalid(InvalidInput):
    """A rollout plan does not fit its JSON Schema, or contradicts itself."""

    code = "rollout_plan_invalid"
    title = "Rollout plan invalid"


class RolloutNotReady(StateConflict):
    """A step of a rollout was asked for before what it waits for is there."""

    code = "rollout_not_ready"
    title = "Rollout not ready"


class SweepInvalid(InvalidInput):
    """A sweep does not fit its JSON Schema, or could not be trained."""

    code = "sweep_invalid"
    title = "Sweep invalid"


class PolicyInvalid(InvalidInput):
    """A promotion policy does not fit its JSON Schema."""

    code = "promotion_policy_invalid"
    title = "Promotion policy invalid"
