"""The base settings. Conditions between settings are start-up checks.

What has a subject of its own stands beside this module: api, admin, queues, plug-ins.
"""

from __future__ import annotations

from pathlib import Path

from pe_platform.settings import env, paths
from pe_platform.settings.admin import UNFOLD  # noqa: F401
from pe_platform.settings.channels import *  # noqa: F403
from pe_platform.settings.plugins import *  # noqa: F403
from pe_platform.settings.queues import *  # noqa: F403
from pe_platform.settings.queues import CELERY_BEAT_SCHEDULE, CELERY_TASK_ROUTES

BASE_DIR = paths.BASE_DIR
PE_STATE_DIR = paths.PE_STATE_DIR
PE_ENVIRONMENT = env.choice("PE_ENVIRONMENT", "production", ("production", "local"))
IS_PRODUCTION = PE_ENVIRONMENT == "production"
PE_VERSION = "0.1.0"
PE_CODE_REVISION = env.text("PE_CODE_REVISION", "unknown")
PE_SERVICE = env.text("PE_SERVICE", "manage")

# -- secrets ---------------------------------------------------------------------------
SECRET_KEY = env.secret("PE_SECRET_KEY")
PE_AUDIT_KEY = env.secret("PE_AUDIT_KEY")
PE_AUDIT_KEY_ID = env.text("PE_AUDIT_KEY_ID", "audit-1")
# Every key that signed entries which must still verify: id:key,id:key
PE_AUDIT_KEYS = {
    **env.named_secrets("PE_AUDIT_OLD_KEYS"),
    PE_AUDIT_KEY_ID: PE_AUDIT_KEY,
}
PE_CHECKPOINT_KEY = env.secret("PE_CHECKPOINT_KEY")
PE_API_KEY_PEPPER_ID = env.text("PE_API_KEY_PEPPER_ID", "pepper-1")
# New keys use the current pepper; keys issued under older ones still open.
PE_API_KEY_PEPPERS = {
    **env.named_secrets("PE_API_KEY_OLD_PEPPERS"),
    PE_API_KEY_PEPPER_ID: env.secret("PE_API_KEY_PEPPER"),
}
PE_TEXT_DIGEST_KEY = env.secret("PE_TEXT_DIGEST_KEY")
from pe_platform.settings.keys import *  # noqa: E402, F403

# -- django ----------------------------------------------------------------------------
DEBUG = False
ALLOWED_HOSTS = env.words("PE_ALLOWED_HOSTS")
CSRF_TRUSTED_ORIGINS = env.words("PE_TRUSTED_ORIGINS")
ROOT_URLCONF = "pe_platform.urls"
WSGI_APPLICATION = "pe_platform.wsgi.application"
AUTH_USER_MODEL = "accounts.User"
LANGUAGE_CODE = "en"
TIME_ZONE = "UTC"
FORMAT_MODULE_PATH = ["pe_platform.formats"]
USE_TZ = True
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
# A request body above this is refused before it is parsed (bytes).
DATA_UPLOAD_MAX_MEMORY_SIZE = 2 * 1024 * 1024
# Larger files than this are spooled to disk rather than held in memory (bytes).
FILE_UPLOAD_MAX_MEMORY_SIZE = 1024 * 1024

INSTALLED_APPS = [
    # Before the admin, whose templates it replaces; its default configuration would
    # put an empty site in the place of ours.
    "unfold.apps.BasicAppConfig",
    "unfold.contrib.filters",
    "pe_platform.admin_site.PlatformAdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "guardian",
    "axes",
    "django_celery_beat",
    "django_prometheus",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "apps.core",
    "apps.audit",
    "apps.accounts",
    "apps.approvals",
    "apps.datasets",
    "apps.models_registry",
    "apps.safety",
    "apps.inference",
    "apps.experiments",
    "apps.compliance",
    "pe_platform.apps.PlatformConfig",
]

# Requests to the API are many and carry no cookies: the Pages* classes step aside for
# paths under API_PREFIX (pe_platform/middleware.py), the rest serve every request.
MIDDLEWARE = [
    "pe_platform.middleware.RequestIdMiddleware",
    "pe_platform.telemetry.MetricsMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "pe_platform.middleware.PagesStatic",
    "pe_platform.middleware.PagesSession",
    "pe_platform.middleware.PagesCommon",
    "django.middleware.csrf.CsrfViewMiddleware",
    "pe_platform.middleware.PagesAuthentication",
    "pe_platform.middleware.PagesMessages",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "pe_platform.middleware.ContentSecurity",
    "pe_platform.sessions.SessionLimitsMiddleware",
    "pe_platform.sessions.SecondFactorMiddleware",
    "pe_platform.middleware.PasswordChangeMiddleware",
    "axes.middleware.AxesMiddleware",
]
API_PREFIX = ("/api/", "/v1/", "/v2/")

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]

# -- database --------------------------------------------------------------------------
_default_database = f"sqlite:///{PE_STATE_DIR / 'platform.sqlite3'}"
DATABASES = {"default": env.database("DATABASE_URL", _default_database)}
DATABASES["default"]["ATOMIC_REQUESTS"] = False
if "sqlite" in str(DATABASES["default"]["ENGINE"]):
    DATABASES["default"]["OPTIONS"] = {
        # IMMEDIATE: a writer queues at BEGIN instead of failing half-way.
        "transaction_mode": "IMMEDIATE",
        "timeout": 20,
        # FULL: with WAL, NORMAL may lose the last commits at power loss, and an
        # acknowledged audit entry must not be lost.
        "init_command": (
            "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;"
            "PRAGMA cache_size=-32000; PRAGMA temp_store=MEMORY;"
        ),
    }
    DATABASES["default"]["CONN_MAX_AGE"] = None
else:
    DATABASES["default"]["CONN_MAX_AGE"] = env.integer(
        "PE_DATABASE_CONN_MAX_AGE_S", 60, minimum=0, maximum=3600
    )
    DATABASES["default"]["CONN_HEALTH_CHECKS"] = True

# -- cache and limits ------------------------------------------------------------------
REDIS_URL = env.text("REDIS_URL")
CACHES = (
    {
        "default": {
            "BACKEND": "django.core.cache.backends.redis.RedisCache",
            "LOCATION": REDIS_URL,
        }
    }
    if REDIS_URL
    else {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}
)
# Rate limits are shared by all processes of one machine through this file, or by all
# machines through Redis when REDIS_URL is set.
PE_LIMITER_FILE = PE_STATE_DIR / "limits.sqlite3"
# Grows by a byte whenever a key changes, so that cached keys are read again at once.
PE_KEY_STAMP_FILE = PE_STATE_DIR / "keys.stamp"

# -- people: pe_platform/settings/people.py --------------------------------------------
from pe_platform.settings.people import *  # noqa: E402, F403

# -- transport security ----------------------------------------------------------------
SESSION_COOKIE_SECURE = IS_PRODUCTION
CSRF_COOKIE_SECURE = IS_PRODUCTION
SESSION_COOKIE_HTTPONLY = True
SECURE_SSL_REDIRECT = IS_PRODUCTION
SECURE_HSTS_SECONDS = 31536000 if IS_PRODUCTION else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = IS_PRODUCTION
SECURE_HSTS_PRELOAD = IS_PRODUCTION
SECURE_REDIRECT_EXEMPT = [r"^livez$", r"^readyz$", r"^startupz$", r"^metrics$"]
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
if env.boolean("PE_BEHIND_TLS_PROXY", False):
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": ["'self'"],
        # The admin adds 'unsafe-eval': pe_platform/middleware.py says why.
        "script-src": ["'self'"],
        "style-src": ["'self'", "'unsafe-inline'"],
        "img-src": ["'self'", "data:"],
        "font-src": ["'self'", "data:"],
        "frame-ancestors": ["'none'"],
        "object-src": ["'none'"],
        "base-uri": ["'self'"],
        "form-action": ["'self'"],
    }
}

# -- static and stored files -----------------------------------------------------------
STATIC_URL = "/static/"
# An image carries its own, made when it was built; elsewhere `prepare` collects them.
STATIC_ROOT = Path(env.text("PE_STATIC_DIR") or PE_STATE_DIR / "static")
STATICFILES_DIRS: list[Path] = []
MEDIA_ROOT = PE_STATE_DIR / "media"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"
    },
}
FILE_UPLOAD_PERMISSIONS = 0o640

# -- api and inference: pe_platform/settings/api.py ------------------------------------
from pe_platform.settings.api import *  # noqa: E402, F403
from pe_platform.settings.api import (  # noqa: E402
    API_BEAT_SCHEDULE,
    API_TASK_ROUTES,
    SPECTACULAR_SETTINGS,
)

SPECTACULAR_SETTINGS["VERSION"] = PE_VERSION
CELERY_BEAT_SCHEDULE |= API_BEAT_SCHEDULE
CELERY_TASK_ROUTES |= API_TASK_ROUTES

# -- audit -----------------------------------------------------------------------------
# Signed checkpoints over all chain heads are appended here, outside the database.
PE_CHECKPOINT_FILE = PE_STATE_DIR / "audit" / "checkpoints.jsonl"
# Each checkpoint also becomes a read-only file here: storage that the platform can add
# to and not change. Empty: nowhere.
PE_CHECKPOINT_COPY_DIR = env.text("PE_CHECKPOINT_COPY_DIR")
# Which chain a process appends to; processes that share a name share a chain.
PE_AUDIT_CHAIN = env.text("PE_AUDIT_CHAIN", PE_SERVICE)

# /metrics answers only to this bearer token; without one it answers to nobody.
PE_METRICS_TOKEN = env.text("PE_METRICS_TOKEN")
# The API key of `manage.py smoke`, so that it need not stand in a command line.
PE_SMOKE_KEY = env.text("PE_SMOKE_KEY")
# Where a Celery worker serves its metrics, host:port; nowhere when unset.
PE_WORKER_METRICS_BIND = env.address("PE_WORKER_METRICS_BIND")
# Processes of one instance add up their metrics in this folder, which must be there
# before the first of them is counted.
if env.text("PROMETHEUS_MULTIPROC_DIR"):
    Path(env.text("PROMETHEUS_MULTIPROC_DIR")).mkdir(parents=True, exist_ok=True)

# -- logs ------------------------------------------------------------------------------
PE_LOG_LEVEL = env.choice("PE_LOG_LEVEL", "INFO", ("DEBUG", "INFO", "WARNING", "ERROR"))
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"json": {"()": "pe_platform.logs.json_formatter"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "json"}},
    "root": {"handlers": ["stderr"], "level": PE_LOG_LEVEL},
    "loggers": {
        "django.request": {"level": "ERROR"},
        "axes": {"level": "WARNING"},
        # It tells of every request of our own, with nothing that is not told elsewhere.
        "httpx": {"level": "WARNING"},
        # The filesystem transport has no host, and kombu warns of that each time.
        "kombu.connection": {"level": "ERROR"},
        "presidio-analyzer": {"level": "ERROR"},
    },
}
