"""Checkpoints: what the chains were at a moment, signed with a key no database holds.

A line names every head twice: by the keyed digest that the platform verifies with, and
by a running digest that anybody can compute from an export. Lines name one another, so
that taking one out of the middle shows; a copy elsewhere shows the rest.
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from apps.audit.chain import (
    exported_line,
    first_public_digest,
    instant,
    next_public_digest,
)
from apps.audit.errors import ChainBroken
from apps.audit.models import AuditChain, AuditEntry
from apps.audit.services import record_event
from apps.core.actors import Actor, Subject
from apps.core.digests import canonical_json, digest_bytes, keyed_digest
from apps.core.errors import NotPermitted
from apps.core.signing import is_genuine_document, signed_document

# The log sits below accounts, so it looks at the actor's permissions itself.
CHECKPOINT_PERMISSION = "audit.checkpoint_auditentry"
Heads = dict[str, dict[str, object]]


def write_checkpoint(*, actor: Actor) -> dict[str, object]:
    """Sign the heads of all chains and append them to a file outside the database.

    A later verification compares the database with these lines, so that cutting the
    tail off a chain, head row included, is seen. With ``PE_CHECKPOINT_COPY_DIR`` each
    line is a read-only file there as well. Raises NotPermitted without
    ``audit.checkpoint_auditentry``.
    """
    if CHECKPOINT_PERMISSION not in actor.permissions:
        raise NotPermitted(f"{actor.label} may not write checkpoints.")
    path = Path(settings.PE_CHECKPOINT_FILE)
    path.parent.mkdir(parents=True, exist_ok=True)
    with transaction.atomic():
        record_event(
            actor=actor,
            event="audit.checkpoint_written",
            subject=Subject("audit.auditchain", "*"),
        )
        found = list(AuditChain.objects.order_by("name"))
    with path.open("a+b") as stream:
        # Two writers at once would name the same line before them.
        fcntl.flock(stream, fcntl.LOCK_EX)
        stream.seek(0)
        lines = stream.read().splitlines()
        content = signed_document(
            {
                "at": instant(timezone.now()),
                "heads": _heads(found, _last_heads(lines)),
                "previous": digest_bytes(lines[-1]) if lines else "",
            }
        )
        line = canonical_json(content)
        stream.write(line + b"\n")
        stream.flush()
        os.fsync(stream.fileno())
    _copy(line, str(content["at"]))
    return content


def _heads(found: list[AuditChain], before: Heads) -> Heads:
    heads: Heads = {}
    for head in found:
        public = _public_digest(head, before.get(head.name, {}))
        heads[head.name] = {
            "sequence": head.sequence,
            "digest": head.digest,
            "public": public.hex(),
        }
    return heads


def _public_digest(head: AuditChain, before: Mapping[str, object]) -> bytes:
    """The running digest at a head, taken up where the last checkpoint left it."""
    known = cast("int", before.get("sequence", 0)) if "public" in before else 0
    known = known if known <= head.sequence else 0
    digest = first_public_digest(head.name)
    if known:
        digest = bytes.fromhex(str(before["public"]))
    entries = AuditEntry.objects.filter(
        chain=head.name, sequence__gt=known, sequence__lte=head.sequence
    )
    for entry in entries.order_by("sequence").iterator(chunk_size=2000):
        digest = next_public_digest(digest, exported_line(entry))
    return digest


def _last_heads(lines: list[bytes]) -> Heads:
    """The heads of the last line, if it is ours; otherwise everything is read anew."""
    last = _parsed(lines[-1]) if lines else None
    if last is None or not is_genuine_document(last):
        return {}
    return cast("Heads", last["heads"])


def _copy(line: bytes, at: str) -> None:
    folder = str(settings.PE_CHECKPOINT_COPY_DIR)
    if not folder:
        return
    name = at.replace(":", "").replace("-", "")
    target = Path(folder) / f"checkpoint-{name}.json"
    descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o444)
    with os.fdopen(descriptor, "wb") as stream:
        stream.write(line + b"\n")
        stream.flush()
        os.fsync(stream.fileno())


def read_checkpoints() -> list[dict[str, object]]:
    """All checkpoints, each signature checked; ChainBroken on one that lies."""
    path = Path(settings.PE_CHECKPOINT_FILE)
    if not path.exists():
        return []
    found: list[dict[str, object]] = []
    previous = b""
    for number, line in enumerate(path.read_bytes().splitlines(), start=1):
        content = _parsed(line)
        if content is None or not _is_genuine(content):
            raise ChainBroken(
                f"Checkpoint line {number} is damaged or its signature is wrong."
            )
        named = digest_bytes(previous) if previous else ""
        if content.get("previous", named) != named:
            raise ChainBroken(f"A line before checkpoint line {number} is missing.")
        found.append(content)
        previous = line
    return found


# Any: JSON of our own, or of whoever changed it.
def _parsed(line: bytes) -> dict[str, Any] | None:
    try:
        content = json.loads(line)
    except ValueError:
        return None
    has_heads = isinstance(content, dict) and isinstance(content.get("heads"), dict)
    return content if has_heads else None


def _is_genuine(content: Mapping[str, object]) -> bool:
    """Signed with Ed25519; or, before there were such lines, with the keyed digest."""
    if str(content.get("signature", "")).startswith("hmac-sha256:"):
        unsigned = {key: content.get(key) for key in ("at", "heads")}
        key = str(settings.PE_CHECKPOINT_KEY).encode()
        return content["signature"] == keyed_digest(key, canonical_json(unsigned))
    return is_genuine_document(content)
