"""Verifying on demand and each night, and remembering what came of it.

The outcome is an entry of its own: the badge on the landing page reads the newest one.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from apps.audit.errors import ChainBroken
from apps.audit.models import AuditEntry
from apps.audit.selectors import ChainState, verify_chains
from apps.audit.services import record_event
from apps.core.actors import Actor, Subject
from apps.core.errors import NotPermitted

VERIFIED = "audit.chains_verified"
BROKEN = "audit.chains_broken"
# The log sits below accounts, so it looks at the actor's permissions itself.
VERIFY_PERMISSION = "audit.verify_auditentry"
logger = logging.getLogger(__name__)
_ALL = Subject("audit.auditchain", "*")


@dataclass(frozen=True, slots=True)
class LastVerification:
    """When all chains were last recomputed, how many entries, and whether they held."""

    at: datetime
    held: bool
    entries: int
    by: str


def verify_and_record(*, actor: Actor) -> list[ChainState]:
    """Recompute every digest and write down the outcome.

    Raises ChainBroken after recording that it did not hold; NotPermitted without
    ``audit.verify_auditentry``.
    """
    if VERIFY_PERMISSION not in actor.permissions:
        raise NotPermitted(f"{actor.label} needs {VERIFY_PERMISSION} for this.")
    try:
        states = verify_chains()
    except ChainBroken as error:
        logger.critical("audit_chain_broken", extra={"event": BROKEN})
        _note(actor, BROKEN, {"found": error.message[:300]})
        raise
    details: dict[str, object] = {
        "entries": sum(state.entries for state in states),
        "heads": {state.name: state.sequence for state in states},
    }
    _note(actor, VERIFIED, details)
    return states


def last_verification() -> LastVerification | None:
    """The newest outcome; None when nobody ever verified."""
    entry = (
        AuditEntry.objects.filter(event__in=(VERIFIED, BROKEN)).order_by("-id").first()
    )
    if entry is None:
        return None
    entries = entry.details.get("entries", 0)
    return LastVerification(
        entry.recorded_at, entry.event == VERIFIED, int(entries), entry.actor_label
    )


@transaction.atomic
def _note(actor: Actor, event: str, details: dict[str, object]) -> None:
    record_event(actor=actor, event=event, subject=_ALL, details=details)
