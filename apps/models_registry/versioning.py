"""What a version is, as one digest: the thing people sign for. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from apps.core.digests import digest_json


def signed_digest(
    *,
    model_name: str,
    number: int,
    adapter: str,
    artifacts: Mapping[str, str],
    signature: Mapping[str, object],
    card: str,
    manifest_digest: str,
    report_digests: Iterable[str],
) -> str:
    """Digest over the build, the card, the manifest and every report there is."""
    return digest_json(
        {
            "model": model_name,
            "number": number,
            "adapter": adapter,
            "artifacts": dict(artifacts),
            "signature": dict(signature),
            "card": card,
            "manifest": manifest_digest,
            "reports": sorted(report_digests),
        }
    )
