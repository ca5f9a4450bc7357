"""Ed25519 signatures on evidence that leaves the platform.

The private key is derived from ``PE_CHECKPOINT_KEY``, which no database holds. Whoever
verifies needs the public key alone, and must have it from somewhere else than the
evidence itself (`manage.py evidence_key` prints it).
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import (
    Ed25519PrivateKey,
    Ed25519PublicKey,
)
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings

from apps.core.digests import canonical_json

ALGORITHM = "ed25519"
SIGNATURE = "signature"


@lru_cache(maxsize=4)
def _private_key(secret: str) -> Ed25519PrivateKey:
    info = b"pixelated-empathy evidence signature v1"
    seed = HKDF(algorithm=SHA256(), length=32, salt=None, info=info)
    return Ed25519PrivateKey.from_private_bytes(seed.derive(secret.encode()))


def public_key() -> str:
    """``ed25519:`` and 64 hexadecimal digits."""
    key = _private_key(str(settings.PE_CHECKPOINT_KEY)).public_key()
    return f"{ALGORITHM}:{key.public_bytes_raw().hex()}"


def signature_of(content: bytes) -> str:
    """``ed25519:`` and 128 hexadecimal digits."""
    key = _private_key(str(settings.PE_CHECKPOINT_KEY))
    return f"{ALGORITHM}:{key.sign(content).hex()}"


def is_signed_by(key: str, content: bytes, signature: str) -> bool:
    """Whether the owner of a public key signed exactly these bytes; never raises."""
    try:
        raw = bytes.fromhex(key.removeprefix(f"{ALGORITHM}:"))
        given = bytes.fromhex(signature.removeprefix(f"{ALGORITHM}:"))
        Ed25519PublicKey.from_public_bytes(raw).verify(given, content)
    except (ValueError, InvalidSignature):
        return False
    return signature.startswith(f"{ALGORITHM}:")


def signed_document(content: Mapping[str, object]) -> dict[str, object]:
    """The content with ``signature`` over the canonical JSON of all the rest."""
    rest = {name: value for name, value in content.items() if name != SIGNATURE}
    return {**rest, SIGNATURE: signature_of(canonical_json(rest))}


def is_genuine_document(content: Mapping[str, object]) -> bool:
    """Whether this platform signed the document as it stands."""
    rest = {name: value for name, value in content.items() if name != SIGNATURE}
    return is_signed_by(
        public_key(), canonical_json(rest), str(content.get(SIGNATURE, ""))
    )
