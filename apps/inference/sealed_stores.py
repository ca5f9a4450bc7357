"""The sealed columns of this app, for rotation (apps.core.keys.stores)."""

from __future__ import annotations

import uuid
from collections.abc import Sequence

from apps.core.keys.stores import SealedItem, SealedStore
from apps.inference.models import BatchItem, IdempotentRequest, KeptText
from apps.inference.sealing import PURPOSE


class KeptTextStore(SealedStore):
    name = "kept-texts"

    def count(self) -> int:
        return KeptText.objects.filter(sealed__isnull=False).count()

    def items(self, after: str, limit: int) -> Sequence[SealedItem]:
        rows = KeptText.objects.filter(sealed__isnull=False).order_by("pk")
        if after:
            rows = rows.filter(pk__gt=uuid.UUID(after))
        found = rows.values_list("pk", "sealed", "record__subject")[:limit]
        return [
            SealedItem(str(pk), bytes(sealed or b""), PURPOSE, pk.bytes, subject)
            for pk, sealed, subject in found
        ]

    def replace(self, item: SealedItem, sealed: bytes) -> bool:
        rows = KeptText.objects.filter(pk=uuid.UUID(item.place), sealed=item.sealed)
        return rows.update(sealed=sealed) == 1


class OutcomeStore(SealedStore):
    name = "idempotent-outcomes"

    def count(self) -> int:
        return IdempotentRequest.objects.filter(response__isnull=False).count()

    def items(self, after: str, limit: int) -> Sequence[SealedItem]:
        rows = IdempotentRequest.objects.filter(response__isnull=False).order_by("pk")
        if after:
            rows = rows.filter(pk__gt=uuid.UUID(after))
        found = rows.values_list("pk", "response", "subject")[:limit]
        return [
            SealedItem(str(pk), bytes(sealed or b""), PURPOSE, pk.bytes, subject)
            for pk, sealed, subject in found
        ]

    def replace(self, item: SealedItem, sealed: bytes) -> bool:
        rows = IdempotentRequest.objects.filter(pk=item.place, response=item.sealed)
        return rows.update(response=sealed) == 1


class BatchLineStore(SealedStore):
    name = "batch-lines"

    def count(self) -> int:
        return BatchItem.objects.filter(sealed__isnull=False).count()

    def items(self, after: str, limit: int) -> Sequence[SealedItem]:
        rows = BatchItem.objects.filter(sealed__isnull=False).order_by("pk")
        if after:
            rows = rows.filter(pk__gt=uuid.UUID(after))
        found = rows.values_list("pk", "sealed", "subject")[:limit]
        return [
            SealedItem(str(pk), bytes(sealed or b""), PURPOSE, pk.bytes, subject)
            for pk, sealed, subject in found
        ]

    def replace(self, item: SealedItem, sealed: bytes) -> bool:
        rows = BatchItem.objects.filter(pk=uuid.UUID(item.place), sealed=item.sealed)
        return rows.update(sealed=sealed) == 1
