"""Moments after which a prediction is not worth waiting for, and who enforces them.

Libraries that compute in C++ do not look at a clock. One thread a process watches all
deadlines and calls what stops the late ones; arming one costs a heap push.
"""

from __future__ import annotations

import heapq
import itertools
import os
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from apps.models_registry.contracts import TextRequest
from apps.models_registry.errors import DeadlinePassed


def deadline_of(batch: Sequence[TextRequest]) -> float | None:
    """The earliest deadline of a batch as a moment of ``time.monotonic``."""
    limits = [item.deadline_ms for item in batch if item.deadline_ms is not None]
    return time.monotonic() + min(limits) / 1000 if limits else None


def remaining_s(deadline: float | None) -> float | None:
    """Seconds left; DeadlinePassed when there are none, None without a deadline."""
    if deadline is None:
        return None
    left = deadline - time.monotonic()
    if left <= 0:
        raise DeadlinePassed("The time for this prediction is over.")
    return left


class _Watch:
    __slots__ = ("action",)

    def __init__(self, action: Callable[[], None]) -> None:
        self.action: Callable[[], None] | None = action


class Watchdog:
    """Calls an action when its moment comes and its block is still running."""

    def __init__(self) -> None:
        self._reset()

    def _reset(self) -> None:
        self._changed = threading.Condition()
        self._due: list[tuple[float, int, _Watch]] = []
        self._numbers = itertools.count()
        self._pid = 0

    @contextmanager
    def stopping(
        self, action: Callable[[], None], deadline: float | None
    ) -> Iterator[None]:
        """Run the block; from another thread, call ``action`` once it is late."""
        if deadline is None:
            yield
            return
        watch = _Watch(action)
        self._arm(deadline, watch)
        try:
            yield
        finally:
            watch.action = None

    def _arm(self, deadline: float, watch: _Watch) -> None:
        if self._pid != os.getpid():
            # Threads do not survive a fork, and neither may what they waited for.
            self._reset()
            self._pid = os.getpid()
            threading.Thread(target=self._watch, daemon=True).start()
        with self._changed:
            heapq.heappush(self._due, (deadline, next(self._numbers), watch))
            if self._due[0][2] is watch:
                self._changed.notify()

    def _watch(self) -> None:
        while True:
            action = self._next().action
            if action is not None:
                action()

    def _next(self) -> _Watch:
        """The next watch whose moment has come."""
        with self._changed:
            while True:
                now = time.monotonic()
                if self._due and self._due[0][0] <= now:
                    return heapq.heappop(self._due)[2]
                self._changed.wait(self._due[0][0] - now if self._due else None)


WATCHDOG = Watchdog()
