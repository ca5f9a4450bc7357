"""Settings of the HTTP API and of inference; read by base.py after the .env file."""

from __future__ import annotations

from pe_platform.settings import env

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
PE_IDEMPOTENCY_HOURS = 24
# How long the words of a request are kept, sealed, so that it can be replayed (hours);
# 0 keeps none.
PE_KEEP_TEXT_HOURS = env.integer("PE_KEEP_TEXT_HOURS", 0, minimum=0, maximum=8784)
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
API_TASK_ROUTES = {
    "inference.delete_expired_outcomes": {"queue": "maintenance"},
    "inference.purge_kept_texts": {"queue": "maintenance"},
}
