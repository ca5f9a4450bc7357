"""Key wrappers: where the key-encryption key is, and how data keys are put under it.

A plug-in family (``PE_KEY_WRAPPERS``), of which ``PE_KEY_WRAPPER`` names the one in
use. A wrapper keeps several keys by id, so that rotation needs no moment at which old
data cannot be read: the current one wraps, every known one unwraps.
"""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import ClassVar

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings

from apps.core.errors import IntegrityFailure
from apps.core.keys.errors import KeysUnavailable, KeyUnknown
from apps.core.plugins import load_family

NONCE_BYTES = 12
DATA_KEY_BYTES = 32
LEAST_SECRET_CHARS = 32
MAX_KEY_ID_BYTES = 64


@dataclass(frozen=True, slots=True)
class Wrapped:
    """A data key that only the wrapper can open. ``key_id`` has at most 64 bytes."""

    key_id: str
    blob: bytes


class KeyWrapper(ABC):
    """One place where key-encryption keys live."""

    name: ClassVar[str] = ""

    @abstractmethod
    def current_id(self) -> str:
        """The id that new data keys are wrapped under; KeysUnavailable without one."""

    @abstractmethod
    def wrap(self, data_key: bytes, context: bytes) -> Wrapped:
        """The 32 bytes under the current key, bound to ``context``."""

    @abstractmethod
    def unwrap(self, wrapped: Wrapped, context: bytes) -> bytes:
        """The data key. KeyUnknown for an id that is not configured, IntegrityFailure
        when key, context or bytes differ, KeysUnavailable when nobody answers."""


class LocalKeys(KeyWrapper):
    """Keys that this process holds: each 32 bytes derived from a configured secret."""

    @abstractmethod
    def secrets(self) -> dict[str, str]:
        """Secrets by id; the first one is current."""

    def current_id(self) -> str:
        return next(iter(self.secrets()))

    def wrap(self, data_key: bytes, context: bytes) -> Wrapped:
        key_id = self.current_id()
        nonce = os.urandom(NONCE_BYTES)
        sealed = self._cipher(key_id).encrypt(nonce, data_key, context)
        return Wrapped(key_id, nonce + sealed)

    def unwrap(self, wrapped: Wrapped, context: bytes) -> bytes:
        cipher = self._cipher(wrapped.key_id)
        nonce, sealed = wrapped.blob[:NONCE_BYTES], wrapped.blob[NONCE_BYTES:]
        try:
            return cipher.decrypt(nonce, sealed, context)
        except (InvalidTag, ValueError) as error:
            raise IntegrityFailure(
                f"A data key cannot be opened with {wrapped.key_id}: that key is not "
                "the one it was wrapped under, or its bytes changed."
            ) from error

    def _cipher(self, key_id: str) -> AESGCM:
        secret = self.secrets().get(key_id)
        if secret is None:
            raise KeyUnknown(
                f"The key {key_id} is not configured. Put it back beside the current "
                "one until manage.py rotate_keys says that nothing needs it."
            )
        return _derived(secret)


@lru_cache(maxsize=16)
def _derived(secret: str) -> AESGCM:
    info = b"pixelated-empathy key-encryption key v1"
    return AESGCM(
        HKDF(algorithm=SHA256(), length=32, salt=None, info=info).derive(
            secret.encode()
        )
    )


class EnvironmentKeys(LocalKeys):
    """``PE_DATA_KEY`` under ``PE_DATA_KEY_ID``, and ``PE_DATA_OLD_KEYS`` to read."""

    name = "environment"

    def secrets(self) -> dict[str, str]:
        current = str(settings.PE_DATA_KEY)
        if len(current) < LEAST_SECRET_CHARS:
            raise KeysUnavailable(
                "PE_DATA_KEY is not set: a random value of at least "
                f"{LEAST_SECRET_CHARS} characters is required."
            )
        old: dict[str, str] = settings.PE_DATA_OLD_KEYS
        key_id = str(settings.PE_DATA_KEY_ID)
        return {key_id: current, **{k: v for k, v in old.items() if k != key_id}}


class FileKeys(LocalKeys):
    """``PE_DATA_KEY_FILE``: lines ``id:secret``, the first current, as orchestrators
    mount secrets. Read again when the file changes, so rotation needs no restart."""

    name = "file"

    def secrets(self) -> dict[str, str]:
        path = Path(settings.PE_DATA_KEY_FILE or "/nonexistent")
        try:
            stamp = path.stat()
            return _read_secrets(path, stamp.st_mtime_ns, stamp.st_ino)
        except OSError as error:
            raise KeysUnavailable(
                "PE_DATA_KEY_FILE cannot be read: it names a file of lines id:secret."
            ) from error


@lru_cache(maxsize=4)
def _read_secrets(path: Path, mtime_ns: int, inode: int) -> dict[str, str]:
    lines = [line.strip() for line in path.read_text("utf-8").splitlines()]
    pairs = [line.partition(":") for line in lines if line and line[0] != "#"]
    if not pairs or any(
        not key or len(value) < LEAST_SECRET_CHARS for key, _, value in pairs
    ):
        raise KeysUnavailable(
            "PE_DATA_KEY_FILE needs lines id:secret with secrets of at least "
            f"{LEAST_SECRET_CHARS} characters, the current one first."
        )
    return {key: value for key, _, value in pairs}


def key_wrapper() -> KeyWrapper:
    """The wrapper that ``PE_KEY_WRAPPER`` names; KeysUnavailable for another name."""
    family = load_family(settings.PE_KEY_WRAPPERS, KeyWrapper)  # type: ignore[type-abstract]
    kind = family.get(settings.PE_KEY_WRAPPER)
    if kind is None:
        raise KeysUnavailable(f"PE_KEY_WRAPPER is one of {', '.join(family)}.")
    return kind()
