"""Every write to datasets: one function a verb, one transaction, one audit entry.

Services check the permission, then the state, then write. Content is never changed and
nothing is deleted; a version that must not be used is quarantined or retired.
"""

from apps.datasets.services.access import (
    AccessAsked,
    prepare_read,
    request_access,
    revoke_access,
    stream_read,
)
from apps.datasets.services.governing import (
    freeze_version,
    retire_version,
    submit_version,
    validate_version,
)
from apps.datasets.services.ingesting import (
    DatasetDescription,
    create_dataset,
    ingest_version,
)

__all__ = [
    "AccessAsked",
    "DatasetDescription",
    "create_dataset",
    "freeze_version",
    "ingest_version",
    "prepare_read",
    "request_access",
    "retire_version",
    "revoke_access",
    "stream_read",
    "submit_version",
    "validate_version",
]
