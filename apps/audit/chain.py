"""How an entry is digested: a pure function of its fields and the entry before it.

HMAC-SHA256 over RFC 8785 JSON. The key is not in the database, so whoever can write
rows cannot forge a chain that verifies.
"""

from __future__ import annotations

import hashlib
import hmac
from datetime import UTC, datetime

from apps.audit.models import AuditEntry
from apps.core.digests import canonical_json

DIGESTED_FIELDS = (
    "chain", "sequence", "event", "actor_kind", "actor_id", "actor_label",
    "subject_label", "subject_id", "subject_digest", "request_id", "details", "key_id",
    "previous_digest",
)  # fmt: skip


def instant(moment: datetime) -> str:
    """UTC with microseconds: the same text whatever the database returns."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def entry_digest(entry: AuditEntry, key: bytes) -> str:
    """``hmac-sha256:`` and 64 hexadecimal digits over everything but the row id."""
    content = {name: getattr(entry, name) for name in DIGESTED_FIELDS}
    content["recorded_at"] = instant(entry.recorded_at)
    mac = hmac.new(key, canonical_json(content), hashlib.sha256)
    return "hmac-sha256:" + mac.hexdigest()
