"""Settings of the test run: fixed secrets, a state folder that is thrown away."""

from __future__ import annotations

import os
import tempfile

_PARTS = (
    "PE_SECRET_KEY", "PE_AUDIT_KEY", "PE_CHECKPOINT_KEY",
    "PE_API_KEY_PEPPER", "PE_TEXT_DIGEST_KEY", "PE_DATA_KEY",
)  # fmt: skip
for _part in _PARTS:
    os.environ[_part] = f"test-only-{_part.lower()}-0123456789abcdef0123456789"
os.environ["PE_ENV_FILE"] = os.devnull
os.environ["PE_ENVIRONMENT"] = "local"
os.environ["PE_SERVICE"] = "test"
os.environ["PE_STATE_DIR"] = os.environ.get("PE_TEST_STATE_DIR") or tempfile.mkdtemp(
    prefix="pe-test-"
)

from pe_platform.settings.base import *  # noqa: E402, F403
from pe_platform.settings.base import (  # noqa: E402
    DATABASES,
    REDIS_URL,
    STATIC_ROOT,
    STORAGES,
)

ALLOWED_HOSTS = ["testserver", "localhost", "127.0.0.1"]
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
STORAGES["staticfiles"] = {
    "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
}
if "sqlite" in str(DATABASES["default"]["ENGINE"]):
    # A file, not :memory:, so that threads and child processes see one database.
    DATABASES["default"]["TEST"] = {
        "NAME": os.path.join(os.environ["PE_STATE_DIR"], "test.sqlite3")
    }
CELERY_BROKER_URL = "memory://"
CELERY_BROKER_TRANSPORT_OPTIONS = {}
if not REDIS_URL:
    CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}
AXES_ENABLED = False
STATIC_ROOT.mkdir(parents=True, exist_ok=True)
PE_POLICY_CACHE_S = 0.0
PE_SERVING_CACHE_S = 0.0
