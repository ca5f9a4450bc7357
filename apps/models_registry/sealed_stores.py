"""The sealed column of this app, for rotation (apps.core.keys.stores)."""

from __future__ import annotations

import uuid
from collections.abc import Sequence

from apps.core.keys.stores import SealedItem, SealedStore
from apps.models_registry.models import EndpointSecret
from apps.models_registry.secrets import PURPOSE, bound_to_row


class EndpointSecretStore(SealedStore):
    """Secrets of endpoints; they are about no participant."""

    name = "endpoint-secrets"

    def count(self) -> int:
        return EndpointSecret.objects.count()

    def items(self, after: str, limit: int) -> Sequence[SealedItem]:
        rows = EndpointSecret.objects.order_by("pk")
        if after:
            rows = rows.filter(pk__gt=uuid.UUID(after))
        return [
            SealedItem(
                str(row.pk),
                bytes(row.sealed),
                PURPOSE,
                bound_to_row(row.pk, row.origin),
                "",
            )
            for row in rows[:limit]
        ]

    def replace(self, item: SealedItem, sealed: bytes) -> bool:
        rows = EndpointSecret.objects.filter(
            pk=uuid.UUID(item.place), sealed=item.sealed
        )
        return rows.update(sealed=sealed) == 1
