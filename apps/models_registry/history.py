"""What was in production at a moment, and who had signed for it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db.models import OuterRef, Subquery

from apps.approvals.models import ApprovalRequest
from apps.models_registry.models import AliasChange, ModelAlias


@dataclass(frozen=True, slots=True)
class ServedAt:
    """Where one alias pointed: since when, who moved it, whose signatures it had."""

    model: str
    alias: str
    version: int
    digest: str
    since: str
    moved_by: str
    signed_by: str


def served_at(moment: datetime) -> list[ServedAt]:
    """Every alias that pointed somewhere at that moment, by model and name."""
    newest = AliasChange.objects.filter(
        model=OuterRef("model"), alias=OuterRef("name"), changed_at__lte=moment
    ).order_by("-changed_at", "-id")
    pointed = ModelAlias.objects.annotate(change=Subquery(newest.values("pk")[:1]))
    changes = AliasChange.objects.filter(
        pk__in=pointed.exclude(change=None).values("change")
    ).select_related("model", "to_version", "changed_by")
    found = sorted(changes, key=lambda one: (one.model.name, one.alias))
    signed = _signatures([str(change.approval_id) for change in found])
    return [
        ServedAt(
            model=change.model.name,
            alias=change.alias,
            version=change.to_version.number,
            digest=change.to_digest,
            since=f"{change.changed_at:%Y-%m-%d %H:%M:%S} UTC",
            moved_by=change.changed_by.get_username(),
            signed_by=signed.get(str(change.approval_id), "nobody"),
        )
        for change in found
    ]


def _signatures(request_ids: list[str]) -> dict[str, str]:
    """By approval request: who signed, in which role and when."""
    requests = ApprovalRequest.objects.filter(pk__in=request_ids).prefetch_related(
        "sign_offs__signer"
    )
    return {
        str(request.pk): "; ".join(
            f"{one.signer.get_username()} as {one.role}, "
            f"{one.signed_at:%Y-%m-%d %H:%M} UTC"
            for one in request.sign_offs.all()
        )
        for request in requests
    }
