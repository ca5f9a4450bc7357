"""Loaded models of one process, by version digest: warm, bounded, safe in threads.

An adapter in use is never unloaded under its user; it goes when the last one is done.
So an alias may move at any time: requests under way end on the version they began with,
later ones load and use the new one, and the old one is evicted once nobody uses it.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from apps.core.errors import Unavailable
from apps.models_registry.contracts import ModelAdapter

Loader = Callable[[], ModelAdapter]


class _Entry:
    """One place in the pool; ``lock`` lets one thread load while others wait."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.adapter: ModelAdapter | None = None
        self.users = 0


class AdapterPool:
    """Evicts the least recently used while loaded models hold over ``max_bytes``.

    The most recent one stays even when it alone is larger: serving it is the point.
    """

    def __init__(self, max_bytes: int) -> None:
        self.max_bytes = max_bytes
        self._lock = threading.Condition()
        self._is_drained = False
        self._entries: OrderedDict[str, _Entry] = OrderedDict()

    @contextmanager
    def use(self, digest: str, loader: Loader) -> Iterator[ModelAdapter]:
        """The loaded adapter of a digest, kept loaded for the length of the block.

        Whatever ``loader`` raises reaches its caller, and nothing is kept; a thread
        that waited meanwhile tries for itself. Unavailable once the pool was drained.
        """
        entry = self._enter(digest)
        try:
            yield self._loaded(digest, entry, loader)
        finally:
            self._leave(digest, entry)

    def _enter(self, digest: str) -> _Entry:
        with self._lock:
            if self._is_drained:
                raise Unavailable("This process is ending and loads no model.")
            entry = self._entries.setdefault(digest, _Entry())
            self._entries.move_to_end(digest)
            entry.users += 1
            return entry

    def _loaded(self, digest: str, entry: _Entry, loader: Loader) -> ModelAdapter:
        with entry.lock:
            if entry.adapter is None:
                try:
                    entry.adapter = loader()
                except BaseException:
                    self._forget(digest, entry)
                    raise
            return entry.adapter

    def _forget(self, digest: str, entry: _Entry) -> None:
        with self._lock:
            if self._entries.get(digest) is entry:
                del self._entries[digest]

    def _leave(self, digest: str, entry: _Entry) -> None:
        with self._lock:
            entry.users -= 1
            unwanted = self._evict()
            is_stray = self._entries.get(digest) is not entry
            if is_stray and not entry.users and entry.adapter is not None:
                # Loaded by a thread that waited while another's loading failed.
                unwanted.append(entry.adapter)
                entry.adapter = None
            self._lock.notify_all()
        for adapter in unwanted:
            adapter.unload()

    def _evict(self) -> list[ModelAdapter]:
        unwanted: list[ModelAdapter] = []
        held = sum(_size(entry) for entry in self._entries.values())
        for digest, entry in list(self._entries.items())[:-1]:
            if held <= self.max_bytes:
                break
            if entry.users == 0 and entry.adapter is not None:
                held -= _size(entry)
                unwanted.append(entry.adapter)
                del self._entries[digest]
        return unwanted

    def loaded_digests(self) -> tuple[str, ...]:
        """Least recently used first."""
        with self._lock:
            return tuple(
                digest for digest, entry in self._entries.items() if entry.adapter
            )

    def drain(self, timeout_s: float) -> bool:
        """Take no more users, wait for those there are, then unload everything.

        False when some were not done in time: their predictions are ended.
        """
        with self._lock:
            self._is_drained = True
            is_idle = self._lock.wait_for(self._is_idle, timeout_s)
            adapters = [e.adapter for e in self._entries.values() if e.adapter]
            for entry in self._entries.values():
                entry.adapter = None
            self._entries.clear()
        for adapter in adapters:
            adapter.unload()
        return is_idle

    def _is_idle(self) -> bool:
        return not any(entry.users for entry in self._entries.values())

    def clear(self) -> None:
        """Unload everything that nobody is using."""
        with self._lock:
            idle = [(d, e) for d, e in self._entries.items() if e.users == 0]
            for digest, _ in idle:
                del self._entries[digest]
        for _, entry in idle:
            if entry.adapter is not None:
                entry.adapter.unload()


def _size(entry: _Entry) -> int:
    return entry.adapter.memory_bytes if entry.adapter is not None else 0
