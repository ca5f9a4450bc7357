"""Content-addressed bytes: stored once, and never opened without being hashed again.

``open_verified`` is the only way to a VerifiedArtifact, and adapters load nothing else,
so bytes that do not match their digest cannot reach a person.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import IO

from django.conf import settings
from django.core.files import File
from django.core.files.storage import FileSystemStorage, default_storage

from apps.core.digests import CHUNK_BYTES, PREFIX, digest_bytes
from apps.models_registry.errors import ArtifactDamaged
from apps.models_registry.models import Artifact

_SEAL = object()
FOLDER = "artifacts"


class VerifiedArtifact:
    """Bytes that matched their digest when they were read, held in memory."""

    __slots__ = ("_content", "_digest")

    def __init__(self, digest: str, content: bytes, *, seal: object) -> None:
        if seal is not _SEAL:
            raise ArtifactDamaged("Only open_verified makes a VerifiedArtifact.")
        self._digest = digest
        self._content = content

    @property
    def digest(self) -> str:
        return self._digest

    @property
    def content(self) -> bytes:
        return self._content


def storage_path(digest: str) -> str:
    """``artifacts/<aa>/<hex>`` for ``sha256:<hex>``."""
    name = digest.removeprefix(PREFIX)
    return f"{FOLDER}/{name[:2]}/{name}"


def store_artifact(chunks: Iterable[bytes], kind: str) -> Artifact:
    """The row of these bytes, stored once: streamed, hashed, then moved into place.

    A reader sees all of the bytes or none. Storing what is there already writes it
    anew, which also heals a damaged file.
    """
    handle, name = tempfile.mkstemp(dir=_scratch())
    temporary = Path(name)
    try:
        with os.fdopen(handle, "wb") as stream:
            digest, size = _write(stream, chunks)
        temporary.chmod(settings.FILE_UPLOAD_PERMISSIONS)
        _publish(temporary, storage_path(digest))
    finally:
        temporary.unlink(missing_ok=True)
    artifact, _ = Artifact.objects.get_or_create(
        digest=digest,
        defaults={"kind": kind, "size_bytes": size, "path": storage_path(digest)},
    )
    return artifact


def _scratch() -> str | None:
    """Beside the final place where that is a folder, so that moving is atomic."""
    if not isinstance(default_storage, FileSystemStorage):
        return None
    folder = Path(default_storage.path(f"{FOLDER}/incoming"))
    folder.mkdir(parents=True, exist_ok=True)
    return str(folder)


def _write(stream: IO[bytes], chunks: Iterable[bytes]) -> tuple[str, int]:
    state, size = hashlib.sha256(), 0
    for chunk in chunks:
        state.update(chunk)
        size += len(chunk)
        stream.write(chunk)
    stream.flush()
    os.fsync(stream.fileno())
    return PREFIX + state.hexdigest(), size


def _publish(temporary: Path, name: str) -> None:
    if not isinstance(default_storage, FileSystemStorage):
        # Object stores show a name only when all of its bytes are there.
        if not default_storage.exists(name):
            with temporary.open("rb") as stream:
                default_storage.save(name, File(stream))
        return
    final = Path(default_storage.path(name))
    final.parent.mkdir(parents=True, exist_ok=True)
    temporary.replace(final)


def open_verified(digest: str) -> VerifiedArtifact:
    """The bytes of an artifact, hashed again.

    Raises ArtifactDamaged when there is no such artifact, its file is missing, or its
    bytes are not what they were.
    """
    artifact = Artifact.objects.filter(pk=digest).first()
    if artifact is None:
        raise ArtifactDamaged(f"There is no artifact {digest}.")
    try:
        with default_storage.open(artifact.path, "rb") as stream:
            content = b"".join(iter(lambda: stream.read(CHUNK_BYTES), b""))
    except FileNotFoundError as error:
        raise ArtifactDamaged(f"The file of artifact {digest} is missing.") from error
    found = digest_bytes(content)
    if found != digest:
        raise ArtifactDamaged(
            f"Artifact {digest} has {len(content)} bytes whose digest is {found}. "
            "Restore it from a copy, or train the version again from its manifest."
        )
    return VerifiedArtifact(digest, content, seal=_SEAL)
