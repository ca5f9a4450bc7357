"""The sealed values of this app, for rotation (apps.core.keys.stores).

Spooled cases are those of the machine that rotates; elsewhere they are rows within
seconds of the database being back.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence

from apps.core.keys.stores import SealedItem, SealedStore
from apps.safety import spool
from apps.safety.models import EscalationText
from apps.safety.services import texts


class CaseTextStore(SealedStore):
    name = "case-texts"

    def count(self) -> int:
        return EscalationText.objects.count()

    def items(self, after: str, limit: int) -> Sequence[SealedItem]:
        rows = EscalationText.objects.order_by("pk")
        if after:
            rows = rows.filter(pk__gt=uuid.UUID(after))
        found = rows.values_list("pk", "sealed", "escalation__subject")[:limit]
        return [
            SealedItem(str(pk), bytes(sealed), texts.PURPOSE, pk.bytes, subject)
            for pk, sealed, subject in found
        ]

    def replace(self, item: SealedItem, sealed: bytes) -> bool:
        rows = EscalationText.objects.filter(
            pk=uuid.UUID(item.place), sealed=item.sealed
        )
        return rows.update(sealed=sealed) == 1


class SpooledCaseStore(SealedStore):
    name = "spooled-cases"

    def count(self) -> int:
        return spool.spooled_count()

    def items(self, after: str, limit: int) -> Sequence[SealedItem]:
        return [
            SealedItem(str(found), content, spool.PURPOSE, found.bytes)
            for found, content in spool.sealed_files()
            if str(found) > after
        ][:limit]

    def replace(self, item: SealedItem, sealed: bytes) -> bool:
        return spool.replace_sealed(uuid.UUID(item.place), item.sealed, sealed)
