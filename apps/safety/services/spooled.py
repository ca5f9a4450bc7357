"""From the spool to the desk: cases that waited for the database, opened as soon as it
writes again. Run as often as anyone likes; a case is one row per request."""

from __future__ import annotations

import logging
from datetime import UTC, datetime
from itertools import islice

from django.db import Error as DatabaseError

from apps.accounts.permissions import system_actor
from apps.core.errors import PlatformError
from apps.safety.cases import CaseFacts
from apps.safety.contracts import RiskLevel
from apps.safety.policy import default_policy
from apps.safety.services.escalations import open_case
from apps.safety.spool import Spooled, forget_case, spooled_cases

logger = logging.getLogger(__name__)
UNREADABLE = "spool.unreadable"


def open_spooled_cases(limit: int | None = None) -> int:
    """Open waiting cases, the oldest first; how many. Never raises for a bad file.

    Stops where the database refuses again, and after ``limit`` of them.

    A file is removed only after its row has committed. One that cannot be opened
    becomes a case graded high, since somebody was at risk; its file stays beside it.
    """
    opened = 0
    for spooled in islice(spooled_cases(), limit):
        try:
            open_case(actor=system_actor("inference"), facts=_facts_of(spooled))
        except (PlatformError, DatabaseError) as error:
            logger.error("Spooled cases wait: not written", exc_info=error)
            break
        _put_away(spooled)
        opened += 1
    return opened


def _put_away(spooled: Spooled) -> None:
    """Take the file of a committed case out of the way; failing costs a repeat."""
    try:
        if spooled.facts is None:
            spooled.path.rename(spooled.path.with_suffix(".damaged"))
        else:
            forget_case(spooled)
    except OSError as error:
        logger.error("A spooled case could not be put away", exc_info=error)


def _facts_of(spooled: Spooled) -> CaseFacts:
    if spooled.facts is not None:
        return spooled.facts
    policy = default_policy()
    return CaseFacts(
        correlation_id=spooled.correlation_id,
        level=RiskLevel.HIGH,
        locale="unknown",
        reasons=(UNREADABLE,),
        digest="unknown",
        policy_digest=policy.digest,
        minutes=policy.minutes_to_acknowledge(RiskLevel.HIGH),
        happened_at=datetime.fromtimestamp(spooled.written_at_s, UTC),
    )
