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
    "PE_METRICS_TOKEN",
)


def ensure_local_env(base_dir: Path) -> bool:
    """Write ``.env`` if nothing is configured; True when it was written."""
    path = Path(os.environ.get("PE_ENV_FILE") or base_dir / ".env")
    configured = any(name in os.environ for name in (*SECRETS, "PE_ENVIRONMENT"))
    settings_module = os.environ.get("DJANGO_SETTINGS_MODULE", "pe_platform.settings")
    if configured or path.exists() or settings_module != "pe_platform.settings":
        return False
    lines = [
        "# Written on first start for this machine alone. Keep it secret, back it up:",
        "# without PE_AUDIT_KEY the audit chain can no longer be verified.",
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
