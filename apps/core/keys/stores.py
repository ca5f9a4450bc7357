"""What lies sealed, as rotation sees it: one plug-in for each table or folder.

``PE_SEALED_STORES`` names them. A store that is not listed keeps its old keys alive for
ever, so a test compares the list with the columns that hold sealed bytes.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from django.conf import settings

from apps.core.keys.wrapping import key_wrapper
from apps.core.plugins import load_family
from apps.core.sealing import key_id_of, seal_bytes, unseal_bytes


@dataclass(frozen=True, slots=True)
class SealedItem:
    """One sealed value. ``place`` orders the items of a store and names this one."""

    place: str
    sealed: bytes
    purpose: bytes
    bound_to: bytes
    subject: str = ""


class SealedStore(ABC):
    """A table or folder with sealed values."""

    name: ClassVar[str] = ""

    @abstractmethod
    def count(self) -> int:
        """How many values there are now."""

    @abstractmethod
    def items(self, after: str, limit: int) -> Sequence[SealedItem]:
        """Up to ``limit`` values whose place is greater than ``after``, in order."""

    @abstractmethod
    def replace(self, item: SealedItem, sealed: bytes) -> bool:
        """Put other bytes in an item's place; False when it changed meanwhile."""


def sealed_stores() -> dict[str, SealedStore]:
    """The stores in use by name, in the order of the settings."""
    kinds = load_family(settings.PE_SEALED_STORES, SealedStore)  # type: ignore[type-abstract]
    return {name: kind() for name, kind in kinds.items()}


def is_stale(item: SealedItem) -> bool:
    """Whether a value stands under another key than it should."""
    key_id = key_id_of(item.sealed)
    if not key_id:
        return False
    return bool(item.subject) or key_id != key_wrapper().current_id()


def reseal(item: SealedItem) -> bytes:
    """The same content under the key it should have."""
    content = unseal_bytes(item.sealed, purpose=item.purpose, bound_to=item.bound_to)
    return seal_bytes(
        content, purpose=item.purpose, bound_to=item.bound_to, subject=item.subject
    )
