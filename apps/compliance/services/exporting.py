"""One signed ZIP with the evidence of a period, verified by an auditor's own script.

The manifest names each file by digest and is signed with the key that no database
holds; tools/verify_audit.py checks it, and the audit chain that stands in it.
"""

from __future__ import annotations

import os
import tempfile
import zipfile
from collections.abc import Callable
from pathlib import Path

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from apps.accounts.permissions import acting_user, require
from apps.audit.exporting import export_chains
from apps.audit.services import record_event
from apps.compliance.evidence import duties, period
from apps.compliance.evidence.period import Period, Rows
from apps.compliance.models import EvidenceBundle
from apps.core.actors import Actor, Subject
from apps.core.digests import canonical_json, digest_bytes, digest_file
from apps.core.errors import InvalidInput
from apps.core.signing import public_key, signed_document

FORMAT = "pixelated-empathy evidence bundle v1"
PARTS: dict[str, Callable[[Period], Rows]] = {
    "approvals": period.approvals,
    "production": period.production,
    "policies": period.policies,
    "looks": period.looks,
    "people": duties.people,
    "object-permissions": duties.object_permissions,
    "programs": duties.programs,
    "conflicts": duties.conflicts,
}


def export_evidence(*, actor: Actor, asked: Period, target: Path) -> EvidenceBundle:
    """Write the evidence of a period to a new ZIP that its owner alone can read.

    The entry about the export is in the chain that is exported. Raises NotPermitted
    without ``compliance.export_evidencebundle``, InvalidInput when the file cannot be
    made; nothing is left of a ZIP that could not be finished.
    """
    require(actor, "compliance.export_evidencebundle")
    made_by = acting_user(actor)
    with transaction.atomic():
        record_event(
            actor=actor,
            event="compliance.evidence_exported",
            subject=Subject("compliance.evidencebundle", f"{asked.first}/{asked.last}"),
        )
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        counts = _write_parts(folder, asked)
        export_chains(folder / "audit")
        manifest = _manifest(folder, asked, actor, counts)
        _zip(folder, manifest, target)
    return EvidenceBundle.objects.create(
        starts_on=asked.first,
        ends_on=asked.last,
        digest=digest_bytes(manifest),
        made_by=made_by,
        made_at=timezone.now(),
    )


def _write_parts(folder: Path, asked: Period) -> dict[str, int]:
    counts = {}
    for name, part in PARTS.items():
        rows = part(asked)
        (folder / f"{name}.json").write_bytes(canonical_json(rows) + b"\n")
        counts[name] = len(rows)
    return counts


def _manifest(
    folder: Path, asked: Period, actor: Actor, counts: dict[str, int]
) -> bytes:
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return canonical_json(
        signed_document(
            {
                "format": FORMAT,
                "period": {"first": str(asked.first), "last": str(asked.last)},
                "made_at": timezone.now().isoformat(),
                "made_by": actor.label,
                "platform": settings.PE_VERSION,
                "revision": settings.PE_CODE_REVISION,
                "rows": counts,
                "files": {
                    str(path.relative_to(folder)): digest_file(path) for path in files
                },
                "public_key": public_key(),
            }
        )
    )


def _zip(folder: Path, manifest: bytes, target: Path) -> None:
    try:
        descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError as error:
        raise InvalidInput(f"{target} cannot be made: {error.strerror}.") from error
    try:
        with (
            os.fdopen(descriptor, "wb") as stream,
            zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as bundle,
        ):
            bundle.writestr("manifest.json", manifest + b"\n")
            for path in sorted(one for one in folder.rglob("*") if one.is_file()):
                bundle.write(path, str(path.relative_to(folder)))
    except BaseException:
        # Also when interrupted: half a bundle must not look like one.
        target.unlink(missing_ok=True)
        raise
