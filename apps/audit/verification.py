"""Reading the whole log on a schedule, and leaving a record of having done so.

That nobody has looked is as worth knowing as that a link is broken, so both outcomes
are entries of the log themselves; metrics and people read when the last one was.
"""

from __future__ import annotations

import logging

from django.db import transaction

from apps.audit.errors import ChainBroken
from apps.audit.selectors import verify_chains
from apps.audit.services import record_event
from apps.core.actors import Actor, Subject
from apps.core.errors import NotPermitted

PERMISSION = "audit.verify_auditentry"
VERIFIED = "audit.chains_verified"
BROKEN = "audit.chains_broken"
logger = logging.getLogger(__name__)


def verify_and_record(*, actor: Actor) -> int:
    """How many entries were found good. Raises ChainBroken, once that is recorded, and
    NotPermitted without ``audit.verify_auditentry``.
    """
    if PERMISSION not in actor.permissions:
        raise NotPermitted(f"{actor.label} may not verify the audit log.")
    try:
        states = verify_chains()
    except ChainBroken:
        logger.critical("audit_chain_broken", extra={"event": BROKEN})
        _record(actor, BROKEN, {})
        raise
    entries = sum(state.entries for state in states)
    _record(actor, VERIFIED, {"entries": entries, "chains": len(states)})
    return entries


def _record(actor: Actor, event: str, details: dict[str, object]) -> None:
    with transaction.atomic():
        record_event(
            actor=actor,
            event=event,
            subject=Subject("audit.auditchain", "*"),
            details=details,
        )
