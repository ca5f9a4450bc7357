"""How fast tools/verify_audit.py verifies an export, as JSON.

    python -m benchmarks.audit_verification --entries 1000000

Lines are made by the platform's own functions from entries like those of a served
request; the signed manifest and a checkpoint each 10,000 entries are real. Making them
takes longer than verifying them and is not counted.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
CHECKPOINT_EVERY = 10_000
START = datetime(2026, 1, 1, tzinfo=UTC)


def made_export(folder: Path, count: int) -> str:
    """An export of one chain with ``count`` entries; the public key."""
    from django.conf import settings

    from apps.audit import chain
    from apps.audit.exporting import FORMAT
    from apps.core.digests import canonical_json, digest_bytes, digest_file
    from apps.core.signing import public_key, signed_document

    public, previous, before = chain.first_public_digest("web-0"), "", b""
    key = settings.PE_AUDIT_KEY.encode()
    path, checkpoints = folder / "chain-1.jsonl", folder / "checkpoints.jsonl"
    with path.open("wb") as stream, checkpoints.open("wb") as witness:
        for number in range(1, count + 1):
            entry = _entry(number, previous)
            entry.digest = previous = chain.entry_digest(entry, key)
            line = chain.exported_line(entry)
            public = chain.next_public_digest(public, line)
            stream.write(line + b"\n")
            if number % CHECKPOINT_EVERY == 0:
                head = {"sequence": number, "digest": previous, "public": public.hex()}
                signed = signed_document(
                    {
                        "at": chain.instant(entry.recorded_at),
                        "heads": {"web-0": head},
                        "previous": digest_bytes(before) if before else "",
                    }
                )
                before = canonical_json(signed)
                witness.write(before + b"\n")
    stated = {
        "file": path.name,
        "sha256": digest_file(path),
        "entries": count,
        "digest": previous,
        "public": public.hex(),
    }
    manifest = signed_document(
        {
            "format": FORMAT,
            "made_at": chain.instant(START),
            "chains": {"web-0": stated},
            "checkpoints": digest_file(checkpoints),
            "public_key": public_key(),
        }
    )
    (folder / "manifest.json").write_bytes(canonical_json(manifest))
    return public_key()


def _entry(number: int, previous: str):
    from django.conf import settings

    from apps.audit.models import AuditEntry

    return AuditEntry(
        chain="web-0",
        sequence=number,
        recorded_at=START + timedelta(milliseconds=number),
        event="inference.request_closed",
        actor_kind="api_key",
        actor_id="00000000-0000-4000-8000-000000000007",
        actor_label="key:pe_live_ab12cd34",
        subject_label="inference.inferencerecord",
        subject_id=f"00000000-0000-4000-8000-{number:012d}",
        subject_digest="",
        request_id=f"10000000-0000-4000-8000-{number:012d}",
        details={
            "decision": "allow",
            "source": "model",
            "model": "support-replies",
            "version_digest": "sha256:" + "a" * 64,
            "policy_digest": "sha256:" + "b" * 64,
            "jurisdiction": "",
            "rules": [],
            "text_digest": "hmac-sha256:" + f"{number:064x}",
            "escalation": "",
            "problem": "",
        },
        key_id=settings.PE_AUDIT_KEY_ID,
        previous_digest=previous,
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--entries", type=int, default=200_000)
    given = parser.parse_args()
    os.environ["DJANGO_SETTINGS_MODULE"] = "pe_platform.settings.test"
    sys.path.insert(0, str(ROOT))
    import django

    django.setup()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        key = made_export(folder, given.entries)
        size = (folder / "chain-1.jsonl").stat().st_size
        script = str(ROOT / "tools" / "verify_audit.py")
        done = subprocess.run(
            [sys.executable, script, "chain", name, "--key", key],
            capture_output=True,
            text=True,
            check=True,
        )
    answer = json.loads(done.stdout)
    print(
        json.dumps(
            {
                "entries": answer["entries"],
                "bytes": size,
                "signed_checkpoints": answer["signed_checkpoints"],
                "seconds": answer["seconds"],
                "entries_per_second": round(answer["entries"] / answer["seconds"]),
            }
        )
    )


if __name__ == "__main__":
    main()
