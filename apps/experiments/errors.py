"""Errors of the experiments app."""

from __future__ import annotations

from apps.core.errors import InvalidInput


class DatasetDoesNotFit(InvalidInput):
    """An evaluator cannot measure on this dataset version."""

    code = "dataset_does_not_fit"
    title = "Dataset does not fit the evaluator"
