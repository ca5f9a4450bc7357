"""An export of the whole log that somebody without any of our secrets can verify.

A folder: one file of lines a chain, the checkpoints, and a manifest signed with the key
that no database holds. tools/verify_audit.py reads it.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from django.conf import settings
from django.utils import timezone

from apps.audit.chain import (
    exported_line,
    first_public_digest,
    instant,
    next_public_digest,
)
from apps.audit.models import AuditChain, AuditEntry
from apps.core.digests import canonical_json, digest_bytes, digest_file
from apps.core.errors import InvalidInput
from apps.core.signing import public_key, signed_document

FORMAT = "pixelated-empathy audit export v1"
MANIFEST, CHECKPOINTS = "manifest.json", "checkpoints.jsonl"
Progress = Callable[[int], None]


def export_chains(folder: Path, progress: Progress | None = None) -> dict[str, object]:
    """Write all chains to a new folder; the signed manifest.

    Reads in constant memory, each chain up to the head it had at the start. Raises
    InvalidInput when there is something at ``folder``.
    """
    try:
        folder.mkdir(parents=True)
    except OSError as error:
        raise InvalidInput(f"{folder} must not exist and must be makeable.") from error
    chains = {
        head.name: _export_chain(head, folder / f"chain-{number}.jsonl", progress)
        for number, head in enumerate(AuditChain.objects.order_by("name"), start=1)
    }
    source = Path(settings.PE_CHECKPOINT_FILE)
    lines = source.read_bytes() if source.exists() else b""
    (folder / CHECKPOINTS).write_bytes(lines)
    manifest = signed_document(
        {
            "format": FORMAT,
            "made_at": instant(timezone.now()),
            "chains": chains,
            "checkpoints": digest_bytes(lines),
            "public_key": public_key(),
        }
    )
    (folder / MANIFEST).write_bytes(canonical_json(manifest) + b"\n")
    return manifest


def _export_chain(
    head: AuditChain, path: Path, progress: Progress | None
) -> dict[str, object]:
    digest, last, count = first_public_digest(head.name), "", 0
    entries = AuditEntry.objects.filter(chain=head.name, sequence__lte=head.sequence)
    with path.open("xb") as stream:
        for entry in entries.order_by("sequence").iterator(chunk_size=2000):
            line = exported_line(entry)
            stream.write(line + b"\n")
            digest, last = next_public_digest(digest, line), entry.digest
            count += 1
            if progress:
                progress(1)
    return {
        "file": path.name,
        "sha256": digest_file(path),
        "entries": count,
        "digest": last,
        "public": digest.hex(),
    }
