"""Settings of the HTTP API and of inference; read by base.py after the .env file."""

from __future__ import annotations

import os

from pe_platform.settings import env
from pe_platform.settings.paths import PE_STATE_DIR

REST_FRAMEWORK = {
    # Closed unless a view opens itself: no class, no anonymous caller.
    "DEFAULT_AUTHENTICATION_CLASSES": ["apps.accounts.api.ApiKeyAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["apps.accounts.api.HasScope"],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "EXCEPTION_HANDLER": "apps.core.problems.problem_handler",
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.JSONParser"],
    "UNAUTHENTICATED_USER": None,
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Pixelated Empathy Platform",
    "DESCRIPTION": "Gated inference for mental-health-support models.",
    "OAS_VERSION": "3.1.0",
    "SERVE_INCLUDE_SCHEMA": False,
    "SCHEMA_PATH_PREFIX": "/api/v1",
    "COMPONENT_SPLIT_REQUEST": False,
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "apps.inference.schema.add_components",
    ],
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "REDOC_DIST": "SIDECAR",
    "SWAGGER_UI_SETTINGS": {"validatorUrl": None, "persistAuthorization": False},
}

# -- inference -------------------------------------------------------------------------
PE_ROUTER = "apps.experiments.routing.RolloutRouter"
# Compares answers with those of a rollout's shadows, after they were sent.
PE_MIRROR = "apps.experiments.mirroring.ShadowMirror"
# From acceptance to the model's last word (ms); a later reply is thrown away.
PE_INFERENCE_DEADLINE_MS = env.integer(
    "PE_INFERENCE_DEADLINE_MS", 5000, minimum=100, maximum=120_000
)
# The same for a chat completion, streamed or not. Below the lease of an idempotency
# key, and gunicorn leaves a worker at least this long.
PE_CHAT_DEADLINE_MS = env.integer(
    "PE_CHAT_DEADLINE_MS", 25_000, minimum=100, maximum=45_000
)
# Replies that models may be writing at once, on one machine and for one key. Each holds
# a worker's thread, so by default half of them stay free for everything else.
_threads = env.integer(
    "PE_WEB_WORKERS", 2 * (os.cpu_count() or 1), minimum=1, maximum=1024
) * env.integer("PE_WEB_THREADS", 1, minimum=1, maximum=256)
PE_GENERATIONS_AT_ONCE = env.integer(
    "PE_GENERATIONS_AT_ONCE", max(1, _threads // 2), minimum=1, maximum=4096
)
PE_GENERATIONS_A_KEY = env.integer(
    "PE_GENERATIONS_A_KEY", PE_GENERATIONS_AT_ONCE, minimum=1, maximum=4096
)
PE_SLOT_DIR = PE_STATE_DIR / "slots"
PE_IDEMPOTENCY_HOURS = 24
# How long the words of a request are kept, sealed, so that it can be replayed (hours);
# 0 keeps none.
PE_KEEP_TEXT_HOURS = env.integer("PE_KEEP_TEXT_HOURS", 0, minimum=0, maximum=8784)
# What one batch may hold: lines, bytes once unfolded, bytes a line.
PE_BATCH_MAX_LINES = env.integer(
    "PE_BATCH_MAX_LINES", 100_000, minimum=1, maximum=1_000_000
)
PE_BATCH_MAX_BYTES = env.integer(
    "PE_BATCH_MAX_BYTES", 256 << 20, minimum=1 << 10, maximum=1 << 34
)
PE_BATCH_MAX_LINE_BYTES = 1 << 20
# How long the results of a batch are kept, sealed, after it was submitted (hours).
PE_BATCH_RESULT_HOURS = env.integer(
    "PE_BATCH_RESULT_HOURS", 72, minimum=1, maximum=8784
)
# A worker that dies gives its lines back after this (seconds).
PE_BATCH_LEASE_S = env.integer("PE_BATCH_LEASE_S", 120, minimum=5, maximum=3600)
# How long a worker stays with one batch before it asks its queue again (seconds).
PE_BATCH_TURN_S = env.integer("PE_BATCH_TURN_S", 10, minimum=1, maximum=600)
# How long a process may go on with a version that was changed (seconds).
PE_SERVING_CACHE_S = 1.0
API_BEAT_SCHEDULE: dict[str, dict[str, object]] = {
    "inference-delete-expired-outcomes": {
        "task": "inference.delete_expired_outcomes",
        "schedule": 3600.0,
        "options": {"queue": "maintenance"},
    },
    "inference-purge-kept-texts": {
        "task": "inference.purge_kept_texts",
        "schedule": 3600.0,
        "options": {"queue": "maintenance"},
    },
}
API_BEAT_SCHEDULE["inference-sweep-batches"] = {
    "task": "inference.sweep_batches",
    "schedule": 30.0,
    "options": {"queue": "maintenance"},
}
API_TASK_ROUTES = {
    "inference.run_batch": {"queue": "batch"},
    "inference.sweep_batches": {"queue": "maintenance"},
    "inference.delete_expired_outcomes": {"queue": "maintenance"},
    "inference.purge_kept_texts": {"queue": "maintenance"},
}
