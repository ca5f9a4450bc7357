"""Writing to the log: one entry in the caller's transaction, checkpoints outside it.

An entry commits with the fact it describes or not at all; it is never queued. Nothing
here may accept text that a participant wrote: details are identifiers, codes, numbers
and digests.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from apps.audit.chain import entry_digest, instant
from apps.audit.errors import ChainBroken
from apps.audit.models import AuditChain, AuditEntry
from apps.core.actors import Actor, Subject
from apps.core.context import current_request_id
from apps.core.digests import canonical_json, keyed_digest


def audit_key() -> bytes:
    return str(settings.PE_AUDIT_KEY).encode()


def record_event(
    *,
    actor: Actor,
    event: str,
    subject: Subject,
    details: Mapping[str, object] | None = None,
) -> AuditEntry:
    """Append one entry to this process's chain, in the transaction that is open.

    Raises TransactionManagementError outside a transaction: an entry that could
    commit apart from its fact would be a lie waiting to happen.
    """
    if not transaction.get_connection().in_atomic_block:
        raise transaction.TransactionManagementError(
            "record_event needs an open transaction"
        )
    head = _locked_head(str(settings.PE_AUDIT_CHAIN))
    entry = AuditEntry(
        chain=head.name,
        sequence=head.sequence + 1,
        recorded_at=timezone.now(),
        event=event,
        actor_kind=actor.kind.value,
        actor_id=actor.id,
        actor_label=actor.label,
        subject_label=subject.label,
        subject_id=subject.id,
        subject_digest=subject.digest,
        request_id=current_request_id(),
        details=json.loads(canonical_json(dict(details or {}))),
        key_id=settings.PE_AUDIT_KEY_ID,
        previous_digest=head.digest,
    )
    entry.digest = entry_digest(entry, audit_key())
    entry.save(force_insert=True)
    AuditChain.objects.filter(pk=head.pk).update(
        sequence=entry.sequence, digest=entry.digest
    )
    return entry


def _locked_head(name: str) -> AuditChain:
    heads = AuditChain.objects.select_for_update()
    found = heads.filter(name=name).first()
    if found is None:
        AuditChain.objects.get_or_create(name=name)
        found = heads.get(name=name)
    return found


def write_checkpoint(*, actor: Actor) -> dict[str, object]:
    """Sign the heads of all chains and append them to a file outside the database.

    A later verification compares the database with these lines, so that cutting the
    tail off a chain, head row included, is seen.
    """
    path = Path(settings.PE_CHECKPOINT_FILE)
    path.parent.mkdir(parents=True, exist_ok=True)
    with transaction.atomic():
        record_event(
            actor=actor,
            event="audit.checkpoint_written",
            subject=Subject("audit.auditchain", "*"),
        )
        heads = {
            head.name: {"sequence": head.sequence, "digest": head.digest}
            for head in AuditChain.objects.order_by("name")
        }
    content: dict[str, object] = {"at": instant(timezone.now()), "heads": heads}
    content["signature"] = _checkpoint_signature(content)
    with path.open("ab") as stream:
        stream.write(canonical_json(content) + b"\n")
        stream.flush()
        os.fsync(stream.fileno())
    return content


def _checkpoint_signature(content: Mapping[str, object]) -> str:
    unsigned = {key: content[key] for key in ("at", "heads")}
    key = str(settings.PE_CHECKPOINT_KEY).encode()
    return keyed_digest(key, canonical_json(unsigned))


def read_checkpoints() -> list[dict[str, object]]:
    """All checkpoints, each signature checked; ChainBroken on one that lies."""
    path = Path(settings.PE_CHECKPOINT_FILE)
    if not path.exists():
        return []
    found = []
    for number, line in enumerate(path.read_bytes().splitlines(), start=1):
        try:
            content = json.loads(line)
            genuine = content["signature"] == _checkpoint_signature(content)
        except (ValueError, KeyError, TypeError):
            genuine = False
        if not genuine:
            raise ChainBroken(
                f"Checkpoint line {number} is damaged or its signature is wrong."
            )
        found.append(content)
    return found
