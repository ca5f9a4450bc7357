"""The sealed column of this app, for rotation (apps.core.keys.stores)."""

from __future__ import annotations

import uuid
from collections.abc import Sequence

from apps.accounts.models import Authenticator
from apps.accounts.services.factors import PURPOSE
from apps.core.keys.stores import SealedItem, SealedStore


class AuthenticatorStore(SealedStore):
    """Secrets of second factors; they are about staff."""

    name = "authenticators"

    def count(self) -> int:
        return Authenticator.objects.count()

    def items(self, after: str, limit: int) -> Sequence[SealedItem]:
        rows = Authenticator.objects.order_by("pk")
        if after:
            rows = rows.filter(pk__gt=uuid.UUID(after))
        return [
            SealedItem(str(row.pk), bytes(row.sealed_secret), PURPOSE, row.pk.bytes, "")
            for row in rows[:limit]
        ]

    def replace(self, item: SealedItem, sealed: bytes) -> bool:
        rows = Authenticator.objects.filter(
            pk=uuid.UUID(item.place), sealed_secret=item.sealed
        )
        return rows.update(sealed_secret=sealed) == 1
