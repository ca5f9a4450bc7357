"""Sealing of bytes at rest: AES-256-GCM under keys that the database lacks.

Every sealed value has a data key: the person's own where there is a person to name, so
that destroying that key makes all of it unreadable, otherwise one of its own. Each is
bound to a purpose and an identifier, so that it cannot be moved to another row, file or
use. Values sealed before envelopes came (one derived key for all) still open.

    record:  PEv2 R  len key-id  len wrapped-key  nonce  ciphertext
    subject: PEv2 S  subject (32 bytes)  key id (16 bytes)  nonce  ciphertext
    before:  nonce ciphertext
"""

from __future__ import annotations

import logging
import os
import uuid
from dataclasses import dataclass
from functools import lru_cache

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings

from apps.core.errors import IntegrityFailure, PlatformError
from apps.core.keys.canary import ensure_canary
from apps.core.keys.subjects import data_key_of, open_data_key
from apps.core.keys.wrapping import DATA_KEY_BYTES, NONCE_BYTES, Wrapped, key_wrapper

MAGIC = b"PEv2"
RECORD, SUBJECT = MAGIC + b"R", MAGIC + b"S"
SUBJECT_HEADER_BYTES = len(SUBJECT) + 32 + 16
logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Binding:
    """What a sealed value is for and which row or file it belongs to."""

    purpose: bytes
    bound_to: bytes

    def as_bytes(self) -> bytes:
        return len(self.purpose).to_bytes(2, "big") + self.purpose + self.bound_to


@dataclass(frozen=True, slots=True)
class _Envelope:
    """The parts of a record envelope; ``header`` is authenticated with the content."""

    header: bytes
    wrapped: Wrapped
    body: bytes


def seal_bytes(
    content: bytes, *, purpose: bytes, bound_to: bytes, subject: str = ""
) -> bytes:
    """An envelope that opens only for this purpose and identifier.

    Under the key of ``subject`` (subjects.subject_name) when there is one. Raises
    KeysUnavailable when the key-encryption key or the folder of keys cannot be used.
    """
    binding = Binding(purpose, bound_to)
    ensure_canary()
    if subject:
        key_id, data_key = data_key_of(subject)
        header = SUBJECT + bytes.fromhex(subject) + key_id.bytes
    else:
        data_key = os.urandom(DATA_KEY_BYTES)
        header = _record_header(key_wrapper().wrap(data_key, binding.as_bytes()))
    return header + _encrypted(data_key, content, header + binding.as_bytes())


def seal_whatever_happens(
    content: bytes, *, purpose: bytes, bound_to: bytes, subject: str = ""
) -> bytes:
    """As ``seal_bytes``, for what must not be lost because a key service is down.

    Falls back on a key of its own, then on this process's derived key; the next
    ``rotate_keys`` puts those under the key they should have.
    """
    for wanted in dict.fromkeys((subject, "")):
        try:
            return seal_bytes(
                content, purpose=purpose, bound_to=bound_to, subject=wanted
            )
        except (PlatformError, OSError) as error:
            logger.error("Sealed under a lesser key", exc_info=error)
    return _encrypted(_derived(purpose), content, bound_to)


def unseal_bytes(sealed: bytes, *, purpose: bytes, bound_to: bytes) -> bytes:
    """The content.

    IntegrityFailure when key, purpose, identifier or bytes differ; KeyDestroyed when
    the person's key is gone; KeysUnavailable when it cannot be asked for.
    """
    binding = Binding(purpose, bound_to)
    if sealed.startswith(SUBJECT):
        return _open_subject(sealed, binding)
    if sealed.startswith(RECORD):
        return _open_record(sealed, binding)
    return _decrypted(_derived(purpose), sealed, bound_to)


def key_id_of(sealed: bytes) -> str:
    """Under which key-encryption key a value stands in its own right.

    Empty for a value under a person's key, whose file says it; ``derived`` for one from
    before envelopes.
    """
    if sealed.startswith(SUBJECT):
        return ""
    if sealed.startswith(RECORD):
        return _split_record(sealed).wrapped.key_id
    return "derived"


def subject_of(sealed: bytes) -> str:
    """The name of the person under whose key a value stands; empty for another."""
    if not sealed.startswith(SUBJECT):
        return ""
    return sealed[len(SUBJECT) : len(SUBJECT) + 32].hex()


def _open_subject(sealed: bytes, binding: Binding) -> bytes:
    header, body = sealed[:SUBJECT_HEADER_BYTES], sealed[SUBJECT_HEADER_BYTES:]
    if len(header) < SUBJECT_HEADER_BYTES:
        raise _changed()
    key_id = uuid.UUID(bytes=header[-16:])
    data_key = open_data_key(subject_of(sealed), key_id)
    return _decrypted(data_key, body, header + binding.as_bytes())


def _open_record(sealed: bytes, binding: Binding) -> bytes:
    parts = _split_record(sealed)
    data_key = key_wrapper().unwrap(parts.wrapped, binding.as_bytes())
    return _decrypted(data_key, parts.body, parts.header + binding.as_bytes())


def _record_header(wrapped: Wrapped) -> bytes:
    key_id = wrapped.key_id.encode()
    return (
        RECORD
        + len(key_id).to_bytes(1, "big")
        + key_id
        + len(wrapped.blob).to_bytes(2, "big")
        + wrapped.blob
    )


def _split_record(sealed: bytes) -> _Envelope:
    try:
        start = len(RECORD) + 1
        end = start + sealed[start - 1]
        key_id = sealed[start:end].decode()
        body = end + 2 + int.from_bytes(sealed[end : end + 2], "big")
        blob = sealed[end + 2 : body]
    except (IndexError, UnicodeDecodeError) as error:
        raise _changed() from error
    return _Envelope(sealed[:body], Wrapped(key_id, blob), sealed[body:])


@lru_cache(maxsize=16)
def _derive(secret: str, purpose: bytes) -> bytes:
    derived = HKDF(algorithm=SHA256(), length=32, salt=None, info=purpose)
    return derived.derive(secret.encode())


def _derived(purpose: bytes) -> bytes:
    return _derive(str(settings.PE_TEXT_DIGEST_KEY), purpose)


def _encrypted(data_key: bytes, content: bytes, associated: bytes) -> bytes:
    nonce = os.urandom(NONCE_BYTES)
    return nonce + AESGCM(data_key).encrypt(nonce, content, associated)


def _decrypted(data_key: bytes, body: bytes, associated: bytes) -> bytes:
    try:
        cipher = AESGCM(data_key)
        return cipher.decrypt(body[:NONCE_BYTES], body[NONCE_BYTES:], associated)
    except (InvalidTag, ValueError) as error:
        # ValueError: fewer bytes than a nonce and a tag.
        raise _changed() from error


def _changed() -> IntegrityFailure:
    return IntegrityFailure(
        "A sealed value cannot be opened: its key or its bytes changed."
    )
