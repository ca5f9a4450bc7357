"""The sealed words of a case: kept for a time, read only by breaking the glass.

The entry that says who looked and why commits before the words are opened; a look that
cannot be recorded does not happen.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from apps.accounts.permissions import acting_user, require
from apps.core.actors import Actor
from apps.core.errors import InvalidInput, NotFound
from apps.core.keys.subjects import restricted_among
from apps.core.sealing import seal_whatever_happens, unseal_bytes
from apps.safety.models import Escalation, EscalationStep, EscalationText
from apps.safety.services.casework import locked_case, note_step, record_case

PURPOSE = b"pixelated-empathy escalation text v1"
LEAST_REASON, MOST_REASON = 10, 500


def keep_text(row: Escalation, text: str) -> None:
    """Seal the text beside its case, in the caller's transaction; none where empty."""
    days = int(settings.PE_ESCALATION_TEXT_DAYS)
    if not text or not days:
        return
    content = text.encode("utf-8", "surrogatepass")
    EscalationText.objects.create(
        escalation=row,
        sealed=seal_whatever_happens(
            content, purpose=PURPOSE, bound_to=row.pk.bytes, subject=row.subject
        ),
        keep_until=timezone.now() + timedelta(days=days),
    )


def read_escalation_text(*, actor: Actor, escalation_id: str, reason: str) -> str:
    """What the person said, after an audit entry with the reason has committed.

    ``reason`` has 10 to 500 characters and stands in the audit log for good; it must
    not quote the person. Raises NotPermitted without ``safety.read_escalationtext`` and
    for programs, InvalidInput for a reason that says nothing, NotFound when no text is
    kept, IntegrityFailure when the sealed bytes were changed.
    """
    require(actor, "safety.read_escalationtext")
    acting_user(actor)
    given = " ".join(reason.split())
    if not LEAST_REASON <= len(given) <= MOST_REASON or len(set(given.lower())) < 4:
        raise InvalidInput(
            f"Say why in {LEAST_REASON} to {MOST_REASON} characters; it is kept."
        )
    with transaction.atomic():
        row = locked_case(escalation_id)
        kept = EscalationText.objects.filter(
            escalation=row, keep_until__gt=timezone.now()
        ).first()
        if kept is None:
            raise NotFound("No text is kept for this case.")
        record_case(actor, "safety.escalation_text_read", row, reason=given)
        note_step(actor, row, EscalationStep.Kind.READ, reason=given)
    opened = unseal_bytes(bytes(kept.sealed), purpose=PURPOSE, bound_to=row.pk.bytes)
    return opened.decode("utf-8", "surrogatepass")


def forget_expired_texts(now: datetime) -> int:
    """Delete sealed texts past their day; how many.

    Those of a person who asked that they be kept but not used stay.
    """
    due = EscalationText.objects.filter(keep_until__lte=now)
    named = due.exclude(escalation__subject="").values_list(
        "escalation__subject", flat=True
    )
    due = due.exclude(escalation__subject__in=restricted_among(named.distinct()))
    return due.delete()[0]
