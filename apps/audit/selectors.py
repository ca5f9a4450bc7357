"""Reading the log: verification, heads, and the timeline of one subject."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import cast

from django.db.models import Exists, OuterRef, Q, QuerySet

from apps.audit.chain import entry_digest
from apps.audit.checkpoints import read_checkpoints
from apps.audit.errors import ChainBroken
from apps.audit.models import AuditChain, AuditEntry
from apps.audit.services import audit_key
from apps.core.errors import InvalidInput

VALUES_HELD_S = 60.0
_values: dict[str, tuple[float, list[str]]] = {}


@dataclass(frozen=True, slots=True)
class ChainState:
    """One verified chain: its last sequence and how many entries were read."""

    name: str
    sequence: int
    entries: int


def verify_chains(
    progress: Callable[[int], None] | None = None,
) -> list[ChainState]:
    """Recompute every digest and compare heads and checkpoints.

    Reads in constant memory. Raises ChainBroken at the first link that does not hold.
    """
    checkpoints = _checkpointed_digests()
    states = []
    for head in AuditChain.objects.order_by("name"):
        states.append(_verify_chain(head, checkpoints.pop(head.name, {}), progress))
    if checkpoints:
        raise ChainBroken(f"Chain {min(checkpoints)} is in a checkpoint but gone.")
    orphans = AuditEntry.objects.exclude(
        chain__in=AuditChain.objects.values("name")
    ).first()
    if orphans is not None:
        raise ChainBroken(f"Entry {orphans} belongs to no chain.")
    return states


def _checkpointed_digests() -> dict[str, dict[int, str]]:
    found: dict[str, dict[int, str]] = {}
    for checkpoint in read_checkpoints():
        heads = cast("Mapping[str, Mapping[str, object]]", checkpoint["heads"])
        for name, head in heads.items():
            sequence = cast("int", head["sequence"])
            if sequence:
                found.setdefault(name, {})[sequence] = str(head["digest"])
    return found


def _verify_chain(
    head: AuditChain,
    witnessed: dict[int, str],
    progress: Callable[[int], None] | None,
) -> ChainState:
    previous, expected = "", 0
    entries = AuditEntry.objects.filter(chain=head.name).order_by("sequence")
    for entry in entries.iterator(chunk_size=2000):
        expected += 1
        _check_link(entry, expected, previous, witnessed.pop(expected, None))
        previous = entry.digest
        if expected == head.sequence and previous != head.digest:
            raise ChainBroken(f"{head.name}: the head names another entry {expected}.")
        if progress:
            progress(1)
    if witnessed:
        raise ChainBroken(
            f"{head.name}: a checkpoint saw entry {min(witnessed)}, which is gone."
        )
    # A chain may have grown since the head row was read, never shrunk.
    if head.sequence > expected:
        raise ChainBroken(
            f"{head.name}: the head is at {head.sequence}, the last entry {expected}."
        )
    return ChainState(head.name, expected, expected)


def _check_link(
    entry: AuditEntry, expected: int, previous: str, witness: str | None
) -> None:
    where = f"{entry.chain}#{entry.sequence}"
    if entry.sequence != expected:
        raise ChainBroken(f"{entry.chain}: entry {expected} is missing.")
    if entry.previous_digest != previous:
        raise ChainBroken(f"{where} does not name the entry before it.")
    if not _is_genuine(entry):
        raise ChainBroken(f"{where} was changed: its digest does not match.")
    if witness is not None and witness != entry.digest:
        raise ChainBroken(f"{where} is not the entry that a checkpoint saw.")


def _is_genuine(entry: AuditEntry) -> bool:
    try:
        return entry_digest(entry, audit_key(entry.key_id)) == entry.digest
    except InvalidInput:
        # Details that have no canonical form were not written by record_event.
        return False


def timeline_of(subject_label: str, subject_id: str) -> QuerySet[AuditEntry]:
    """Everything recorded about one subject, oldest first."""
    return AuditEntry.objects.filter(
        subject_label=subject_label, subject_id=subject_id
    ).order_by("recorded_at", "id")


def values_of(field: str) -> list[str]:
    """The different values of an indexed text column, few among very many rows.

    Asks the index for the next value each time, so that it costs one short look for
    each value whatever the number of rows. Held for a minute.
    """
    now = time.monotonic()
    held = _values.get(field)
    if held is not None and now < held[0]:
        return held[1]
    found: list[str] = []
    rows = AuditEntry.objects.order_by(field).values_list(field, flat=True)
    value = rows.first()
    while value is not None:
        found.append(value)
        value = rows.filter(**{f"{field}__gt": value}).first()
    _values[field] = (now + VALUES_HELD_S, found)
    return found


def entries_about(words: str) -> Q:
    """What the search box finds: one whole actor, event, request or subject id.

    Equality on indexed columns: a million entries are searched as fast as ten.
    """
    return (
        Q(actor_label=words)
        | Q(event=words)
        | Q(request_id=words)
        | Q(subject_label__in=values_of("subject_label"), subject_id=words)
    )


def head_matches() -> bool:
    """Whether every head row names an entry that exists: a cheap readiness probe."""
    entry = AuditEntry.objects.filter(
        chain=OuterRef("name"), sequence=OuterRef("sequence"), digest=OuterRef("digest")
    )
    heads = AuditChain.objects.filter(sequence__gt=0)
    return not heads.exclude(Exists(entry)).exists()
