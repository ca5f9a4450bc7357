"""Sealing of bytes at rest: AES-256-GCM under a key that the database lacks.

Each purpose has a key of its own, derived from one secret, and each sealed value is
bound to an identifier, so that it cannot be moved to another row, file or use.
"""

from __future__ import annotations

import os
from functools import lru_cache

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings

from apps.core.errors import IntegrityFailure

NONCE_BYTES = 12


@lru_cache(maxsize=16)
def _cipher(secret: str, purpose: bytes) -> AESGCM:
    derived = HKDF(algorithm=SHA256(), length=32, salt=None, info=purpose)
    return AESGCM(derived.derive(secret.encode()))


def seal_bytes(content: bytes, *, purpose: bytes, bound_to: bytes) -> bytes:
    """Nonce and ciphertext, which open only for this purpose and identifier."""
    nonce = os.urandom(NONCE_BYTES)
    cipher = _cipher(str(settings.PE_TEXT_DIGEST_KEY), purpose)
    return nonce + cipher.encrypt(nonce, content, bound_to)


def unseal_bytes(sealed: bytes, *, purpose: bytes, bound_to: bytes) -> bytes:
    """The content; IntegrityFailure when key, purpose, identifier or bytes differ."""
    cipher = _cipher(str(settings.PE_TEXT_DIGEST_KEY), purpose)
    try:
        return cipher.decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], bound_to)
    except (InvalidTag, ValueError) as error:
        # ValueError: fewer bytes than a nonce and a tag.
        raise IntegrityFailure(
            "A sealed value cannot be opened: its key or its bytes changed."
        ) from error
