"""Prints the environment file of deploy/compose.yml with new random secrets.

    python3 deploy/compose_secrets.py > deploy/compose.env

Run it once a deployment: without PE_AUDIT_KEY the audit chain can no longer be
verified. Standard library only, so that it runs before anything is installed.
"""

from __future__ import annotations

import secrets

PLATFORM = (
    "PE_SECRET_KEY",
    "PE_AUDIT_KEY",
    "PE_CHECKPOINT_KEY",
    "PE_API_KEY_PEPPER",
    "PE_TEXT_DIGEST_KEY",
    "PE_METRICS_TOKEN",
)
SERVICES = (
    "POSTGRES_PASSWORD",
    "REDIS_PASSWORD",
    "RABBITMQ_PASSWORD",
    "GRAFANA_PASSWORD",
)
# Where alerts go; Alertmanager posts JSON there.
ADDRESSES = ("PE_PAGE_WEBHOOK_URL", "PE_TICKET_WEBHOOK_URL")

# Hexadecimal: these also stand in URLs.
for name in (*PLATFORM, *SERVICES):
    print(f"{name}={secrets.token_hex(32)}")
for name in ADDRESSES:
    print(f"{name}=http://127.0.0.1:9/replace-me")
print("PE_HOST=localhost")
