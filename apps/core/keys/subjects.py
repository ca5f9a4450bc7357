"""One data key a person, each in a file outside the database.

The database and its backups hold only what these keys sealed. Destroying a person's
file therefore makes every copy of their words unreadable, also the copies in backups,
which nobody can go through. Back this folder up apart from the database, to a place
that ``destroy`` can be repeated on (docs/compliance/encryption.md).

A file is written whole or not at all, and made once: of two processes that meet a new
person at once, both use the key that was there first.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import uuid
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

from django.conf import settings

from apps.core.errors import InvalidInput
from apps.core.keys.errors import KeyDestroyed, KeysUnavailable
from apps.core.keys.wrapping import DATA_KEY_BYTES, Wrapped, key_wrapper

SUFFIX, TOMBSTONE = ".key", ".destroyed"
NAME_CHARS = 64
# Opened keys that one process remembers; the file is looked at each time all the same.
KEYS_REMEMBERED = 512


@dataclass(frozen=True, slots=True)
class SubjectKey:
    """A person's key as it lies on disk. ``subject`` has 64 hexadecimal digits."""

    subject: str
    id: uuid.UUID
    wrapped: Wrapped
    created_at: str
    is_restricted: bool = False

    def to_bytes(self) -> bytes:
        return json.dumps(
            {
                "subject": self.subject,
                "id": str(self.id),
                "key_id": self.wrapped.key_id,
                "wrapped": base64.b64encode(self.wrapped.blob).decode(),
                "created_at": self.created_at,
                "restricted": self.is_restricted,
            }
        ).encode()

    @classmethod
    def from_bytes(cls, content: bytes) -> SubjectKey:
        """KeysUnavailable for what ``to_bytes`` did not write."""
        try:
            # Any: JSON of our own, narrowed by the constructors below.
            given: Any = json.loads(content)
            blob = base64.b64decode(given["wrapped"], validate=True)
            return cls(
                subject=str(given["subject"]),
                id=uuid.UUID(given["id"]),
                wrapped=Wrapped(str(given["key_id"]), blob),
                created_at=str(given["created_at"]),
                is_restricted=given["restricted"] is True,
            )
        except (ValueError, KeyError, TypeError) as error:
            raise KeysUnavailable("A subject key file is damaged.") from error


def subject_name(program_id: uuid.UUID, participant_digest: str) -> str:
    """The name of a participant of one program: 64 hexadecimal digits, or "".

    Two programs may call different people by the same reference, so both count.
    ``participant_digest`` is keyed; without it there is nobody to name.
    """
    if not participant_digest:
        return ""
    named = f"{program_id}|{participant_digest}".encode()
    return hashlib.sha256(named).hexdigest()


def data_key_of(subject: str) -> tuple[uuid.UUID, bytes]:
    """The id and the bytes of a person's key; it is made when there is none.

    Raises KeysUnavailable when the folder or the wrapper cannot be used.
    """
    found = read_key(subject) or _make_key(subject)
    return found.id, _opened(found)


def open_data_key(subject: str, key_id: uuid.UUID) -> bytes:
    """The key that sealed something; KeyDestroyed when it is gone."""
    found = read_key(subject)
    if found is None or found.id != key_id:
        raise KeyDestroyed(
            "The key of this person was destroyed: what it sealed cannot be read."
        )
    return _opened(found)


def read_key(subject: str) -> SubjectKey | None:
    """A person's key as it lies on disk, still wrapped; None when there is none."""
    try:
        return SubjectKey.from_bytes(_path(subject).read_bytes())
    except FileNotFoundError:
        return None
    except OSError as error:
        raise KeysUnavailable("PE_SUBJECT_KEY_DIR cannot be read.") from error


def is_restricted(subject: str) -> bool:
    """Whether somebody asked that this person's data be kept but not used."""
    found = read_key(subject) if subject else None
    return found is not None and found.is_restricted


def set_restricted(subject: str, restricted: bool) -> None:
    """Mark a person's data as not to be used, or lift the mark."""
    found = read_key(subject) or _make_key(subject)
    _replace(replace(found, is_restricted=restricted))


def destroy(subject: str) -> uuid.UUID | None:
    """Destroy a person's key; its id, or None when there was none.

    The bytes are overwritten before the file goes. A file system that copies on write
    may keep them wrapped: retire the key-encryption key to be rid of those too.
    """
    found = read_key(subject)
    if found is None:
        return None
    path = _path(subject)
    with suppress(FileNotFoundError):
        _note_destroyed(found)
        with path.open("r+b") as stream:
            stream.write(b"\0" * path.stat().st_size)
            stream.flush()
            os.fsync(stream.fileno())
        path.unlink()
        _sync_folder(path.parent)
    return found.id


@dataclass(frozen=True, slots=True)
class Destroyed:
    """A key that is no more: whose, which, and since when."""

    subject: str
    id: uuid.UUID
    at: datetime


def destroyed_keys() -> Iterator[Destroyed]:
    """Every key that was destroyed: what to erase again after an older database was
    restored."""
    for path in sorted(_folder().glob(f"*/*{TOMBSTONE}")):
        yield from _tombstone(path)


def last_destroyed(subject: str) -> Destroyed | None:
    """The key of a person that was destroyed last; None when none ever was."""
    path = _path(subject).with_suffix(TOMBSTONE)
    found = _tombstone(path) if path.exists() else []
    return found[-1] if found else None


def _tombstone(path: Path) -> list[Destroyed]:
    lines = [line.split(" ") for line in path.read_text("ascii").splitlines()]
    return [
        Destroyed(path.stem, uuid.UUID(key_id), datetime.fromisoformat(moment))
        for key_id, moment in lines
    ]


def restricted_among(subjects: Iterable[str]) -> list[str]:
    """Those whose data must stay as it is. Everyone, when nobody can say: what is kept
    a little longer can still be removed."""
    try:
        return [subject for subject in set(subjects) if is_restricted(subject)]
    except KeysUnavailable:
        return [subject for subject in set(subjects) if subject]


def all_keys() -> Iterator[SubjectKey]:
    """Every person's key, still wrapped, without those destroyed meanwhile."""
    for path in sorted(_folder().glob(f"*/*{SUFFIX}")):
        found = read_key(path.stem)
        if found is not None:
            yield found


def rewrap_key(found: SubjectKey) -> bool:
    """Put one key under the current key-encryption key; whether it had to be."""
    wrapper = key_wrapper()
    if found.wrapped.key_id == wrapper.current_id():
        return False
    data_key = wrapper.unwrap(found.wrapped, _context(found.subject, found.id))
    again = wrapper.wrap(data_key, _context(found.subject, found.id))
    # Restricted or destroyed meanwhile: what is on disk now decides.
    latest = read_key(found.subject)
    if latest is None or latest.id != found.id:
        return False
    _replace(replace(latest, wrapped=again))
    return True


def _opened(found: SubjectKey) -> bytes:
    return _unwrapped(found.wrapped, _context(found.subject, found.id))


@lru_cache(maxsize=KEYS_REMEMBERED)
def _unwrapped(wrapped: Wrapped, context: bytes) -> bytes:
    return key_wrapper().unwrap(wrapped, context)


def forget_opened_keys() -> None:
    """Drop the opened keys that this process remembers."""
    _unwrapped.cache_clear()


def _context(subject: str, key_id: uuid.UUID) -> bytes:
    return b"subject key v1|" + subject.encode() + b"|" + key_id.bytes


def _make_key(subject: str) -> SubjectKey:
    key_id = uuid.uuid4()
    wrapped = key_wrapper().wrap(os.urandom(DATA_KEY_BYTES), _context(subject, key_id))
    made = SubjectKey(subject, key_id, wrapped, datetime.now(UTC).isoformat())
    target = _path(subject)
    partial = _written(target, made.to_bytes())
    try:
        os.link(partial, target)
        _sync_folder(target.parent)
    except FileExistsError:
        first = read_key(subject)
        return first if first is not None else _make_key(subject)
    except OSError as error:
        raise KeysUnavailable("PE_SUBJECT_KEY_DIR cannot be written.") from error
    finally:
        partial.unlink(missing_ok=True)
    return made


def _replace(key: SubjectKey) -> None:
    target = _path(key.subject)
    partial = _written(target, key.to_bytes())
    partial.replace(target)
    _sync_folder(target.parent)


def _written(target: Path, content: bytes) -> Path:
    partial = target.with_name(f"{target.stem}.{uuid.uuid4().hex}.partial")
    try:
        target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
    except OSError as error:
        raise KeysUnavailable("PE_SUBJECT_KEY_DIR cannot be written.") from error
    return partial


def _note_destroyed(key: SubjectKey) -> None:
    path = _path(key.subject).with_suffix(TOMBSTONE)
    with path.open("ab") as stream:
        stream.write(f"{key.id} {datetime.now(UTC).isoformat()}\n".encode())
        stream.flush()
        os.fsync(stream.fileno())


def _path(subject: str) -> Path:
    if len(subject) != NAME_CHARS or not set(subject) <= set("0123456789abcdef"):
        raise InvalidInput("A subject is named by 64 hexadecimal digits.")
    return _folder() / subject[:2] / f"{subject}{SUFFIX}"


def _folder() -> Path:
    return Path(settings.PE_SUBJECT_KEY_DIR) / "subjects"


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
