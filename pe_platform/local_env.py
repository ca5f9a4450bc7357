"""The .env of one machine: random secrets, written once, readable by its owner only.

Only `manage.py` and `make run` call this, and only where nothing is configured. A
process that finds a production environment, or any secret already set, gets no file:
two hosts that each invented an audit key could not verify one another.
"""

from __future__ import annotations

import os
import secrets
import sys
from pathlib import Path

SECRETS = (
    "PE_SECRET_KEY",
    "PE_AUDIT_KEY",
    "PE_CHECKPOINT_KEY",
    "PE_API_KEY_PEPPER",
    "PE_TEXT_DIGEST_KEY",
    "PE_DATA_KEY",
    "PE_METRICS_TOKEN",
)


def ensure_local_env(base_dir: Path) -> bool:
    """Write ``.env`` if nothing is configured; True when it was written."""
    path = Path(os.environ.get("PE_ENV_FILE") or base_dir / ".env")
    configured = any(name in os.environ for name in (*SECRETS, "PE_ENVIRONMENT"))
    settings_module = os.environ.get("DJANGO_SETTINGS_MODULE", "pe_platform.settings")
    if configured or settings_module != "pe_platform.settings":
        return False
    if path.exists():
        _add_data_key(path)
        return False
    lines = [
        "# Written on first start for this machine alone. Keep it secret, back it up:",
        "# without PE_AUDIT_KEY the audit chain can no longer be verified, and without",
        "# PE_DATA_KEY nothing that was sealed can be read.",
        "PE_ENVIRONMENT=local",
        "PE_ALLOWED_HOSTS=127.0.0.1,localhost",
        *(f"{name}={secrets.token_urlsafe(48)}" for name in SECRETS),
    ]
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as stream:
        stream.write("\n".join(lines) + "\n")
    print(f"Wrote {path.name} with new random secrets.", file=sys.stderr)  # noqa: T201
    return True


def _add_data_key(path: Path) -> None:
    """Give a file from before data keys the one it lacks: nothing is sealed under it.

    A local file of ours only; a production environment is told to set its own.
    """
    content = path.read_text("utf-8")
    names = {line.partition("=")[0].strip() for line in content.splitlines()}
    if (
        "PE_ENVIRONMENT=local" not in content
        or not set(SECRETS) - {"PE_DATA_KEY"} <= names
        or "PE_DATA_KEY" in names
    ):
        return
    with path.open("a") as stream:
        stream.write(f"PE_DATA_KEY={secrets.token_urlsafe(48)}\n")
    print(f"Added a random PE_DATA_KEY to {path.name}.", file=sys.stderr)  # noqa: T201
