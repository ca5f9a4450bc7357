"""Stops asking what does not answer, and tries again once a while has passed."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable


class CircuitBreaker:
    """Opens after ``failures`` in a row, for ``rest_s``; then one caller may try.

    Safe to share among threads. ``may_try`` must be followed by ``succeeded`` or
    ``failed``.
    """

    def __init__(
        self,
        failures: int,
        rest_s: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._most, self._rest_s, self._clock = failures, rest_s, clock
        self._lock = threading.Lock()
        self._failed = 0
        self._shut_until = 0.0

    def may_try(self) -> bool:
        with self._lock:
            if self._failed < self._most:
                return True
            now = self._clock()
            if now < self._shut_until:
                return False
            # One tries; the others wait for what comes of it.
            self._shut_until = now + self._rest_s
            return True

    def succeeded(self) -> None:
        with self._lock:
            self._failed = 0

    def failed(self) -> None:
        with self._lock:
            self._failed += 1
            if self._failed >= self._most:
                self._shut_until = self._clock() + self._rest_s
