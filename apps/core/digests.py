"""Content digests: the names by which governed things are signed for.

Every digest over JSON uses RFC 8785 canonical form, so that two programs that agree on
the content agree on the digest. Nothing here reads a clock, a database or a network.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable
from pathlib import Path

import rfc8785

from apps.core.errors import InvalidInput

PREFIX = "sha256:"
CHUNK_BYTES = 1 << 20


def canonical_json(value: object) -> bytes:
    """RFC 8785 bytes of a JSON value.

    Raises InvalidInput for what JSON cannot carry: NaN, lone surrogates, integers
    beyond 2**53, non-string keys.
    """
    try:
        return rfc8785.dumps(value)  # type: ignore[arg-type]
    except (rfc8785.CanonicalizationError, UnicodeEncodeError) as error:
        raise InvalidInput(f"Value has no canonical JSON form: {error}") from error


def digest_bytes(content: bytes) -> str:
    """``sha256:`` and 64 hexadecimal digits."""
    return PREFIX + hashlib.sha256(content).hexdigest()


def digest_json(value: object) -> str:
    """Digest of the canonical JSON of a value."""
    return digest_bytes(canonical_json(value))


def digest_chunks(chunks: Iterable[bytes]) -> str:
    """Digest of a stream, in constant memory."""
    state = hashlib.sha256()
    for chunk in chunks:
        state.update(chunk)
    return PREFIX + state.hexdigest()


def digest_file(path: Path) -> str:
    """Digest of a file's bytes, in constant memory."""
    with path.open("rb") as stream:
        return digest_chunks(iter(lambda: stream.read(CHUNK_BYTES), b""))


def keyed_digest(key: bytes, content: bytes) -> str:
    """HMAC-SHA256 as ``hmac-sha256:`` and hex: names text without revealing it."""
    return "hmac-sha256:" + hmac.new(key, content, hashlib.sha256).hexdigest()
