"""A known value under each key-encryption key that was ever used here.

It is how a wrong key is told from a right one before anything is read or written under
it: a platform that sealed under another key would look well and lose what it sealed.
"""

from __future__ import annotations

import os
from contextlib import suppress
from functools import lru_cache
from pathlib import Path
from urllib.parse import quote, unquote

from django.conf import settings

from apps.core.errors import IntegrityFailure
from apps.core.keys.errors import KeysUnavailable
from apps.core.keys.wrapping import Wrapped, key_wrapper

KNOWN = b"pixelated-empathy known value 32"
CONTEXT = b"canary v1"
SUFFIX = ".canary"


def ensure_canary() -> None:
    """Write the known value under the current key, once; cheap after the first time.

    Raises IntegrityFailure when the current key is not the one that bears its id.
    """
    _ensured(str(settings.PE_SUBJECT_KEY_DIR), key_wrapper().current_id())


@lru_cache(maxsize=64)
def _ensured(folder: str, key_id: str) -> bool:
    path = _path(key_id)
    if path.exists():
        _verify(path)
        return True
    wrapped = key_wrapper().wrap(KNOWN, CONTEXT)
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        partial = path.with_name(f"{path.name}.{os.getpid()}.partial")
        partial.write_bytes(wrapped.blob)
        with suppress(FileExistsError):
            os.link(partial, path)
        partial.unlink(missing_ok=True)
    except OSError as error:
        raise KeysUnavailable("PE_SUBJECT_KEY_DIR cannot be written.") from error
    return True


def verify_canaries() -> list[str]:
    """Open the known value under every key that is still in use; the ids.

    Raises KeyUnknown or IntegrityFailure for the first key that is missing or wrong.
    """
    key_wrapper().current_id()
    return [_verify(path) for path in sorted(_folder().glob(f"*{SUFFIX}"))]


def retire_canary(key_id: str) -> None:
    """Say that nothing needs this key any more: from now on it may be thrown away."""
    _path(key_id).unlink(missing_ok=True)
    _ensured.cache_clear()


def known_key_ids() -> list[str]:
    """The ids of the keys under which something may still stand."""
    return [unquote(path.stem) for path in sorted(_folder().glob(f"*{SUFFIX}"))]


def _verify(path: Path) -> str:
    key_id = unquote(path.stem)
    try:
        blob = path.read_bytes()
    except OSError as error:
        raise KeysUnavailable("PE_SUBJECT_KEY_DIR cannot be read.") from error
    if key_wrapper().unwrap(Wrapped(key_id, blob), CONTEXT) != KNOWN:
        raise IntegrityFailure(f"The key {key_id} opens another known value.")
    return key_id


def _path(key_id: str) -> Path:
    return _folder() / f"{quote(key_id, safe='')}{SUFFIX}"


def _folder() -> Path:
    return Path(settings.PE_SUBJECT_KEY_DIR) / "keys"
