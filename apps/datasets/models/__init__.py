"""Tables of the datasets app."""

from apps.datasets.models.access import DatasetGrant
from apps.datasets.models.versions import (
    Dataset,
    DatasetVersion,
    ValidationFinding,
    ValidationReport,
)

__all__ = [
    "Dataset",
    "DatasetGrant",
    "DatasetVersion",
    "ValidationFinding",
    "ValidationReport",
]
