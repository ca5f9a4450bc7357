"""Errors of the models registry."""

from __future__ import annotations

from apps.core.errors import (
    IntegrityFailure,
    InvalidInput,
    StateConflict,
    Unavailable,
)


class ManifestInvalid(InvalidInput):
    """A training manifest does not fit its JSON Schema or its runner."""

    code = "manifest_invalid"
    title = "Training manifest invalid"


class DatasetNotFrozen(StateConflict):
    """A manifest names a dataset version that is unknown or not frozen."""

    code = "dataset_not_frozen"
    title = "Dataset version not frozen"


class LeaseLost(StateConflict):
    """The run was retaken, cancelled or finished: this worker may not write to it."""

    code = "lease_lost"
    title = "Training lease lost"


class ArtifactDamaged(IntegrityFailure):
    """Stored bytes are missing, or do not have the digest they are stored under."""

    code = "artifact_damaged"
    title = "Artifact damaged"


class PredictionFailed(Unavailable):
    """A model could not answer."""

    code = "prediction_failed"
    title = "Prediction failed"


class DeadlinePassed(PredictionFailed):
    """The time for an answer was over before there was one."""

    code = "deadline_exceeded"
    title = "Deadline exceeded"


class ReportsMissing(StateConflict):
    """A version has not been measured by every required evaluator."""

    code = "reports_missing"
    title = "Evaluation reports missing"


class VersionSealed(StateConflict):
    """What was signed for cannot be changed in place."""

    code = "version_sealed"
    title = "Model version sealed"


class NothingToRollBackTo(StateConflict):
    """The alias never pointed at another version."""

    code = "nothing_to_roll_back_to"
    title = "Nothing to roll back to"


class SecretMissing(PredictionFailed):
    """A version names a secret that nobody has set for its endpoint."""

    code = "secret_missing"
    title = "Endpoint secret missing"


class PolicyNotMet(StateConflict):
    """The promotion policy in force refuses what the reports show."""

    code = "promotion_policy_not_met"
    title = "Promotion policy not met"
