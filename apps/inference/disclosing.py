"""When a person has to be told again that a program is speaking.

Where it cannot be told whether they were, they are told.
"""

from __future__ import annotations

import uuid
from datetime import timedelta

from django.db import Error as DatabaseError
from django.utils import timezone

from apps.inference.contracts import ServingRequest
from apps.inference.models import InferenceRecord
from apps.safety.services import text_digest


def is_disclosure_due(
    request: ServingRequest, key_family_id: uuid.UUID, every_minutes: int
) -> bool:
    """Whether a notice belongs to this reply.

    It does at the start of a conversation (no earlier turns), without a
    ``participant_ref`` to know the person by, when none was told to them within
    ``every_minutes``, and when the database cannot say.
    """
    if not request.context or not request.participant_ref:
        return True
    told = InferenceRecord.objects.filter(
        key_family_id=key_family_id,
        participant_digest=text_digest(request.participant_ref),
        was_disclosed=True,
        created_at__gt=timezone.now() - timedelta(minutes=every_minutes),
    )
    try:
        return not told.exists()
    except DatabaseError:
        return True
