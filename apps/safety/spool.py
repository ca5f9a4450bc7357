"""Cases that the database could not take: one sealed file each, durable when written.

A file is named after its request, so writing twice is one case and opening twice is
too. The name survives damage to the content: a file that cannot be opened still says
that there is a case. Nothing here touches the database.
"""

from __future__ import annotations

import logging
import os
import uuid
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings

from apps.core.errors import PlatformError
from apps.core.sealing import seal_whatever_happens, unseal_bytes
from apps.safety.cases import CaseFacts

PURPOSE = b"pixelated-empathy escalation spool v1"
SUFFIX = ".case"
logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Spooled:
    """One waiting file. ``facts`` is None when its content cannot be opened."""

    path: Path
    correlation_id: uuid.UUID
    written_at_s: float
    facts: CaseFacts | None


def keep_case(facts: CaseFacts) -> Path:
    """Write the case so that it survives a crash right after; OSError when it cannot.

    The file is synced, then renamed into place, then the folder is synced.
    """
    folder = _folder()
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    sealed = seal_whatever_happens(
        facts.to_bytes(),
        purpose=PURPOSE,
        bound_to=facts.correlation_id.bytes,
        subject=facts.subject,
    )
    return _put(folder / f"{facts.correlation_id}{SUFFIX}", sealed)


def _put(target: Path, sealed: bytes) -> Path:
    partial = target.with_name(f"{target.stem}.{uuid.uuid4().hex}.partial")
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as stream:
        stream.write(sealed)
        stream.flush()
        os.fsync(stream.fileno())
    partial.replace(target)
    _sync_folder(target.parent)
    return target


def sealed_files() -> Iterator[tuple[uuid.UUID, bytes]]:
    """Each waiting file as it lies, by the id in its name, in the order of ids."""
    for path in sorted(_files()):
        with suppress(FileNotFoundError):
            yield uuid.UUID(path.stem), path.read_bytes()


def replace_sealed(correlation_id: uuid.UUID, old: bytes, new: bytes) -> bool:
    """Put other bytes in a file; False when it is gone or no longer holds ``old``.

    A case that becomes a row at this very moment is written again and is the same row.
    """
    path = _folder() / f"{correlation_id}{SUFFIX}"
    with suppress(FileNotFoundError):
        if path.read_bytes() == old:
            _put(path, new)
            return True
    return False


def spooled_cases() -> Iterator[Spooled]:
    """What waits, the oldest first; a file of any other name is left alone."""
    for path in sorted(_files(), key=_written_at_s):
        with suppress(FileNotFoundError):  # another process opened it meanwhile
            yield _read(path, uuid.UUID(path.stem))


def spooled_count() -> int:
    """How many cases wait for the database on this machine."""
    return len(_files())


def forget_case(spooled: Spooled) -> None:
    """Remove the file of a case that is a committed row now."""
    spooled.path.unlink(missing_ok=True)
    with suppress(FileNotFoundError):
        _sync_folder(spooled.path.parent)


def _read(path: Path, correlation_id: uuid.UUID) -> Spooled:
    facts: CaseFacts | None = None
    try:
        sealed = path.read_bytes()
        content = unseal_bytes(sealed, purpose=PURPOSE, bound_to=correlation_id.bytes)
        facts = CaseFacts.from_bytes(content)
    except FileNotFoundError:
        raise
    except (PlatformError, OSError):
        # Also when keys cannot be had: the case matters more than its words.
        logger.critical(
            "A spooled case cannot be opened", extra={"subject_id": str(correlation_id)}
        )
    return Spooled(path, correlation_id, path.stat().st_mtime, facts)


def _files() -> list[Path]:
    with suppress(FileNotFoundError):
        return [p for p in _folder().iterdir() if p.suffix == SUFFIX and _is_id(p.stem)]
    return []


def _is_id(stem: str) -> bool:
    try:
        return str(uuid.UUID(stem)) == stem
    except ValueError:
        return False


def _written_at_s(path: Path) -> float:
    with suppress(FileNotFoundError):
        return path.stat().st_mtime
    return 0.0


def _folder() -> Path:
    return Path(settings.PE_ESCALATION_SPOOL)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
