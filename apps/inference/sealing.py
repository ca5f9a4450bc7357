"""Sealing of stored responses and words under keys that the database lacks.

The row's id is the associated data, so that a response cannot be moved to another row.
"""

from __future__ import annotations

import uuid

from apps.core.keys.subjects import subject_name
from apps.core.sealing import seal_whatever_happens, unseal_bytes
from apps.safety.services import text_digest

PURPOSE = b"pixelated-empathy inference response v1"


def seal(content: bytes, row_id: uuid.UUID, subject: str = "") -> bytes:
    """An envelope bound to the row, under the person's key where one is named.

    Never refused for want of a key service: a crisis reply closes through here.
    """
    return seal_whatever_happens(
        content, purpose=PURPOSE, bound_to=row_id.bytes, subject=subject
    )


def unseal(sealed: bytes, row_id: uuid.UUID) -> bytes:
    """The sealed content; IntegrityFailure when key, row or bytes do not match."""
    return unseal_bytes(sealed, purpose=PURPOSE, bound_to=row_id.bytes)


def subject_of(program_id: uuid.UUID, participant_ref: str) -> str:
    """The name of a program's participant on rows and keys; "" for nobody."""
    named = text_digest(participant_ref) if participant_ref else ""
    return subject_name(program_id, named)
