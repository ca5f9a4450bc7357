"""Celery: the broker, the queues, which task goes where, and what beat sends."""

from __future__ import annotations

from pe_platform.settings import env
from pe_platform.settings.paths import PE_STATE_DIR

CELERY_BROKER_URL = env.text("CELERY_BROKER_URL") or "filesystem://"
_spool = PE_STATE_DIR / "broker"
CELERY_BROKER_TRANSPORT_OPTIONS: dict[str, object] = (
    {
        "data_folder_in": str(_spool / "messages"),
        "data_folder_out": str(_spool / "messages"),
        "control_folder": str(_spool / "control"),
        "store_processed": False,
    }
    if CELERY_BROKER_URL.startswith("filesystem")
    else {}
)
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_TASK_DEFAULT_QUEUE = "maintenance"
CELERY_TASK_SERIALIZER = "json"
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_WORKER_SOFT_SHUTDOWN_TIMEOUT = 20
CELERY_WORKER_ENABLE_SOFT_SHUTDOWN_ON_IDLE = False
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_TIMEZONE = "UTC"
CELERY_BEAT_SCHEDULER = "django_celery_beat.schedulers:DatabaseScheduler"
PE_QUEUES = (
    "escalation", "inference", "batch", "training", "evaluation", "maintenance",
)  # fmt: skip
CELERY_TASK_ROUTES: dict[str, dict[str, str]] = {
    "audit.write_checkpoint": {"queue": "maintenance"},
    "audit.verify_chains": {"queue": "maintenance"},
    "approvals.expire_overdue": {"queue": "maintenance"},
    "models_registry.run_training": {"queue": "training"},
    "models_registry.requeue_lost_runs": {"queue": "maintenance"},
    "experiments.evaluate_required": {"queue": "evaluation"},
    "experiments.watch_rollouts": {"queue": "maintenance"},
    "experiments.advance_sweeps": {"queue": "maintenance"},
    "safety.notify_escalation": {"queue": "escalation"},
    "safety.sweep_escalations": {"queue": "escalation"},
}
CELERY_BEAT_SCHEDULE: dict[str, dict[str, object]] = {
    "audit-checkpoint": {
        "task": "audit.write_checkpoint",
        "schedule": 300.0,
        "options": {"queue": "maintenance"},
    },
    # Reads every entry: hours, not minutes, once there are millions.
    "audit-verify": {
        "task": "audit.verify_chains",
        "schedule": float(
            env.integer("PE_AUDIT_VERIFY_EVERY_S", 21_600, minimum=60, maximum=604_800)
        ),
        "options": {"queue": "maintenance"},
    },
    "approvals-expire": {
        "task": "approvals.expire_overdue",
        "schedule": 3600.0,
        "options": {"queue": "maintenance"},
    },
    "requeue-lost-runs": {
        "task": "models_registry.requeue_lost_runs",
        "schedule": 15.0,
        "options": {"queue": "maintenance"},
    },
    # Harm is taken back within a minute: four looks, and the second a router remembers.
    "watch-rollouts": {
        "task": "experiments.watch_rollouts",
        "schedule": 15.0,
        "options": {"queue": "maintenance"},
    },
    "advance-sweeps": {
        "task": "experiments.advance_sweeps",
        "schedule": 15.0,
        "options": {"queue": "maintenance"},
    },
    "sweep-escalations": {
        "task": "safety.sweep_escalations",
        "schedule": 15.0,
        "options": {"queue": "escalation"},
    },
}
