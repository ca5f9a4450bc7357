"""Where the code is, where the .env is read from, where state goes."""

from __future__ import annotations

from pathlib import Path

from django.core.exceptions import ImproperlyConfigured

from pe_platform.settings import env

BASE_DIR = Path(__file__).resolve().parent.parent.parent
env.load_env_file(Path(env.text("PE_ENV_FILE") or BASE_DIR / ".env"))
PE_STATE_DIR = Path(env.text("PE_STATE_DIR") or BASE_DIR / "var")
try:
    PE_STATE_DIR.mkdir(parents=True, exist_ok=True)
except OSError as error:
    raise ImproperlyConfigured(
        f"The state folder {PE_STATE_DIR} cannot be made: {error.strerror}. "
        "Set PE_STATE_DIR to a folder of your own."
    ) from error
