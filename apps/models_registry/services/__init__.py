"""Every write to the registry, by verb."""

from apps.models_registry.services.catalog import (
    describe_version,
    register_model,
    reopen_version,
    retire_version,
)
from apps.models_registry.services.importing import Bundle, import_bundle
from apps.models_registry.services.leases import (
    claim_run,
    complete_run,
    fail_run,
    heartbeat_run,
    record_checkpoint,
    record_metrics,
    release_run,
)
from apps.models_registry.services.promotion import (
    close_submission,
    mark_approved,
    promote_version,
    rollback_alias,
    submit_version,
)
from apps.models_registry.services.reports import record_report, request_evaluation
from apps.models_registry.services.runs import (
    cancel_run,
    create_manifest,
    queue_run,
    requeue_lost_runs,
)
from apps.models_registry.services.secrets import set_endpoint_secret

__all__ = [
    "Bundle",
    "cancel_run",
    "claim_run",
    "close_submission",
    "complete_run",
    "create_manifest",
    "describe_version",
    "fail_run",
    "heartbeat_run",
    "import_bundle",
    "mark_approved",
    "promote_version",
    "queue_run",
    "record_checkpoint",
    "record_metrics",
    "record_report",
    "register_model",
    "release_run",
    "reopen_version",
    "request_evaluation",
    "requeue_lost_runs",
    "retire_version",
    "rollback_alias",
    "set_endpoint_secret",
    "submit_version",
]
