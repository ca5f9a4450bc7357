"""Content-addressed files: a version's rows under the name of their digest.

Rows are staged in a temporary file first, parsed and digested to the end, and only a
whole, readable file is put in storage. What is read back is digested again.
"""

from __future__ import annotations

import hashlib
import json
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import IO, BinaryIO

from django.core.files import File
from django.core.files.storage import default_storage

from apps.core.digests import CHUNK_BYTES, PREFIX, canonical_json, digest_chunks
from apps.core.errors import InvalidInput
from apps.datasets.contracts import DatasetSchema, FileFormat, Row
from apps.datasets.errors import StoredContentChanged, UnreadableDataset
from apps.datasets.readers import read_rows

FOLDER = "datasets"


@dataclass(frozen=True, slots=True)
class Limits:
    """Bytes that one row and one whole file may have."""

    max_row_bytes: int
    max_file_bytes: int


@dataclass(frozen=True, slots=True)
class Staged:
    """Canonical rows in a temporary file, complete and digested."""

    file: IO[bytes]
    digest: str
    source_digest: str
    row_count: int
    size_bytes: int


@contextmanager
def staged_rows(
    source: BinaryIO, file_format: FileFormat, schema: DatasetSchema, limits: Limits
) -> Iterator[Staged]:
    """The rows of ``source`` in canonical form; UnreadableDataset if any is not.

    The temporary files go away with the block, whatever happens in it.
    """
    with tempfile.TemporaryFile() as copy, tempfile.TemporaryFile() as canonical:
        source_digest = digest_chunks(_copied(source, copy, limits.max_file_bytes))
        copy.seek(0)
        state, count = hashlib.sha256(), 0
        rows = read_rows(copy, file_format, schema, max_row_bytes=limits.max_row_bytes)
        for row in rows:
            line = _canonical_line(row)
            state.update(line)
            canonical.write(line)
            count += 1
        size = canonical.tell()
        canonical.seek(0)
        yield Staged(canonical, PREFIX + state.hexdigest(), source_digest, count, size)


def _copied(source: BinaryIO, target: IO[bytes], limit: int) -> Iterator[bytes]:
    size = 0
    while chunk := source.read(CHUNK_BYTES):
        size += len(chunk)
        if size > limit:
            raise UnreadableDataset(f"The file is larger than {limit} bytes.")
        target.write(chunk)
        yield chunk


def _canonical_line(row: Row) -> bytes:
    try:
        return canonical_json(dict(row.values)) + b"\n"
    except InvalidInput as error:
        raise UnreadableDataset(
            f"Row {row.locator} holds a number that JSON cannot carry exactly.",
            extra={"row": row.locator},
        ) from error


def storage_name(digest: str) -> str:
    return f"{FOLDER}/{digest.removeprefix(PREFIX)}.jsonl"


def put(staged: Staged) -> bool:
    """Store the rows under their digest; whether the file was not there before.

    A file left over under that name is trusted only if its bytes have the digest.
    """
    name = storage_name(staged.digest)
    if default_storage.exists(name):
        if stored_digest(name) == staged.digest:
            return False
        default_storage.delete(name)
    stored = default_storage.save(name, File(staged.file))
    if stored != name:
        # Another process stored the same content first: storage took another name.
        default_storage.delete(stored)
        return False
    return True


def remove(digest: str) -> None:
    default_storage.delete(storage_name(digest))


def stored_digest(name: str) -> str:
    """The digest of the bytes that lie in storage; StoredContentChanged if none do."""
    try:
        with default_storage.open(name, "rb") as stream:
            return digest_chunks(iter(lambda: stream.read(CHUNK_BYTES), b""))
    except FileNotFoundError as error:
        raise StoredContentChanged(
            f"The file {name} is missing from storage: restore it from a backup."
        ) from error


def verify(name: str, digest: str) -> None:
    """Raise StoredContentChanged unless the stored bytes have the digest."""
    if stored_digest(name) != digest:
        raise _changed(digest)


def verified_rows(name: str, digest: str) -> Iterator[Row]:
    """Stored rows in order, digested on the way.

    The last row is held back until the digest agrees: whoever reads to the end has
    read exactly what was recorded. StoredContentChanged otherwise.
    """
    state, held = hashlib.sha256(), b""
    locator = 0
    try:
        with default_storage.open(name, "rb") as stream:
            for line in stream:
                if held:
                    locator += 1
                    yield _stored_row(locator, held)
                state.update(line)
                held = line
        if PREFIX + state.hexdigest() != digest or not held:
            raise _changed(digest)
        yield _stored_row(locator + 1, held)
    except (FileNotFoundError, ValueError) as error:
        raise _changed(digest) from error


def _stored_row(locator: int, line: bytes) -> Row:
    values = json.loads(line)
    if not isinstance(values, dict):
        raise ValueError("a stored line is not an object")
    return Row(locator, values)


def _changed(digest: str) -> StoredContentChanged:
    return StoredContentChanged(
        f"The stored rows no longer have the digest {digest}: they are missing or were "
        "changed. Restore the file from a backup; do not use it."
    )
