"""Admin screens of the datasets app; every change is one service call."""

from apps.datasets.admin.datasets import DatasetAdmin
from apps.datasets.admin.grants import DatasetGrantAdmin
from apps.datasets.admin.reports import ValidationReportAdmin
from apps.datasets.admin.versions import DatasetVersionAdmin

__all__ = [
    "DatasetAdmin",
    "DatasetGrantAdmin",
    "DatasetVersionAdmin",
    "ValidationReportAdmin",
]
