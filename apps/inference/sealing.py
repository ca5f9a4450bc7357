"""Sealing of stored responses: AES-256-GCM under a key that the database lacks.

The row's id is the associated data, so that a response cannot be moved to another row.
"""

from __future__ import annotations

import os
import uuid
from functools import lru_cache

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings

from apps.core.errors import IntegrityFailure

NONCE_BYTES = 12
PURPOSE = b"pixelated-empathy inference response v1"


@lru_cache(maxsize=4)
def _cipher(secret: str) -> AESGCM:
    derived = HKDF(algorithm=SHA256(), length=32, salt=None, info=PURPOSE)
    return AESGCM(derived.derive(secret.encode()))


def seal(content: bytes, row_id: uuid.UUID) -> bytes:
    """Nonce and ciphertext, bound to the row."""
    nonce = os.urandom(NONCE_BYTES)
    cipher = _cipher(str(settings.PE_TEXT_DIGEST_KEY))
    return nonce + cipher.encrypt(nonce, content, row_id.bytes)


def unseal(sealed: bytes, row_id: uuid.UUID) -> bytes:
    """The sealed content; IntegrityFailure when key, row or bytes do not match."""
    cipher = _cipher(str(settings.PE_TEXT_DIGEST_KEY))
    try:
        return cipher.decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], row_id.bytes)
    except InvalidTag as error:
        raise IntegrityFailure(
            "A stored response cannot be opened: its key or its bytes changed."
        ) from error
