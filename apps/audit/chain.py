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

PUBLIC_DOMAIN = b"pixelated-empathy public audit digest v1|"
DIGESTED_FIELDS = (
    "chain", "sequence", "event", "actor_kind", "actor_id", "actor_label",
    "subject_label", "subject_id", "subject_digest", "request_id", "details", "key_id",
    "previous_digest",
)  # fmt: skip


def instant(moment: datetime) -> str:
    """UTC with microseconds: the same text whatever the database returns."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def entry_content(entry: AuditEntry) -> bytes:
    """The canonical JSON of everything but the row id and the digest."""
    content = {name: getattr(entry, name) for name in DIGESTED_FIELDS}
    content["recorded_at"] = instant(entry.recorded_at)
    return canonical_json(content)


def entry_digest(entry: AuditEntry, key: bytes) -> str:
    """``hmac-sha256:`` and 64 hexadecimal digits over everything but the row id."""
    mac = hmac.new(key, entry_content(entry), hashlib.sha256)
    return "hmac-sha256:" + mac.hexdigest()


def exported_line(entry: AuditEntry) -> bytes:
    """An entry as it leaves the platform, without its line feed: what the public
    digest runs over and tools/verify_audit.py reads."""
    return b'{"digest":"%s","entry":%s}' % (entry.digest.encode(), entry_content(entry))


def first_public_digest(chain: str) -> bytes:
    """Where the running digest of a chain starts, before its first entry: 32 bytes."""
    return hashlib.sha256(PUBLIC_DOMAIN + chain.encode()).digest()


def next_public_digest(before: bytes, line: bytes) -> bytes:
    """The running digest after one more exported line: SHA-256, no key, so that
    anybody can compute it."""
    return hashlib.sha256(before + line).digest()
