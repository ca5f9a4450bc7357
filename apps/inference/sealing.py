"""Sealing of stored responses under a key that the database lacks.

The row's id is the associated data, so that a response cannot be moved to another row.
"""

from __future__ import annotations

import uuid

from apps.core.sealing import seal_bytes, unseal_bytes

PURPOSE = b"pixelated-empathy inference response v1"


def seal(content: bytes, row_id: uuid.UUID) -> bytes:
    """Nonce and ciphertext, bound to the row."""
    return seal_bytes(content, purpose=PURPOSE, bound_to=row_id.bytes)


def unseal(sealed: bytes, row_id: uuid.UUID) -> bytes:
    """The sealed content; IntegrityFailure when key, row or bytes do not match."""
    return unseal_bytes(sealed, purpose=PURPOSE, bound_to=row_id.bytes)
