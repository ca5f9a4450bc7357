"""Writing to the log: one entry in the caller's transaction.

An entry commits with the fact it describes or not at all; it is never queued. Nothing
here may accept text that a participant wrote: details are identifiers, codes, numbers
and digests.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from apps.audit.chain import entry_digest
from apps.audit.errors import ChainBroken
from apps.audit.models import AuditChain, AuditEntry
from apps.core.actors import Actor, Subject
from apps.core.context import current_request_id, note_actor, principal
from apps.core.digests import canonical_json
from apps.core.errors import InvalidInput

LARGEST_NUMBER = 2**53


def audit_key(key_id: str) -> bytes:
    """The key of an id; ChainBroken when no such key is configured."""
    try:
        return str(settings.PE_AUDIT_KEYS[key_id]).encode()
    except KeyError as error:
        raise ChainBroken(
            f"The audit key {key_id} is not configured: see PE_AUDIT_OLD_KEYS."
        ) from error


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
    stored_details = _storable(_with_principal(details or {}, actor))
    note_actor(actor)
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
        details=stored_details,
        key_id=settings.PE_AUDIT_KEY_ID,
        previous_digest=head.digest,
    )
    entry.digest = entry_digest(entry, audit_key(entry.key_id))
    entry.save(force_insert=True)
    AuditChain.objects.filter(pk=head.pk).update(
        sequence=entry.sequence, digest=entry.digest
    )
    return entry


def _with_principal(
    details: Mapping[str, object], actor: Actor
) -> Mapping[str, object]:
    """Details that also name whose action sent the task that records them."""
    sender = principal()
    if sender is None or sender == actor.to_header():
        return details
    return {**details, "on_behalf_of": dict(sender)}


def _storable(details: Mapping[str, object]) -> Any:
    """Details as every database gives them back, so that the digest still matches.

    Raises InvalidInput for NUL, which PostgreSQL cannot store, and for numbers that
    it would write differently.
    """
    canonical = canonical_json(dict(details))
    if b"\\u0000" in canonical:
        raise InvalidInput("Audit details cannot hold a NUL character.")
    return json.loads(canonical, parse_float=_plain_float)


def _plain_float(text: str) -> float:
    value = float(text)
    if abs(value) >= LARGEST_NUMBER:
        raise InvalidInput(f"Audit details cannot hold a number as large as {text}.")
    return value


def _locked_head(name: str) -> AuditChain:
    heads = AuditChain.objects.select_for_update()
    found = heads.filter(name=name).first()
    if found is None:
        AuditChain.objects.get_or_create(name=name)
        found = heads.get(name=name)
    return found
