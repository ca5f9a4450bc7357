"""Short memory for what every request asks and people change seldom.

A promotion, a rollback or a new policy is obeyed by every process within
``PE_SERVING_CACHE_S`` seconds. A failure to read is never remembered.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from time import monotonic
from typing import Generic, TypeVar

from django.conf import settings

V = TypeVar("V")
ENTRIES_KEPT = 1024


class Remembered(Generic[V]):
    """Values by key, each for ``PE_SERVING_CACHE_S`` seconds; 0 remembers nothing."""

    def __init__(self) -> None:
        self._kept: dict[Hashable, tuple[float, V]] = {}

    def get(self, key: Hashable, read: Callable[[], V]) -> V:
        kept = self._kept.get(key)
        now = monotonic()
        if kept is not None and now < kept[0]:
            return kept[1]
        value = read()
        if len(self._kept) >= ENTRIES_KEPT:
            self._kept.clear()
        self._kept[key] = (now + float(settings.PE_SERVING_CACHE_S), value)
        return value
