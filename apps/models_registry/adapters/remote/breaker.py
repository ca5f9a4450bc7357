"""A circuit breaker and a retry budget: a failing endpoint is left alone for a while.

Both belong to one loaded adapter of one process and are safe in threads. Time comes
from the clock they are given.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from enum import StrEnum

from apps.models_registry.adapters.remote.failures import EndpointFailed

Clock = Callable[[], float]


class Circuit(StrEnum):
    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half_open"


class CircuitBreaker:
    """Opens after ``failures`` in a row; after ``rest_s`` one call may try again.

    Each ``enter`` is followed by exactly one of ``succeeded``, ``failed``, and
    ``abandoned`` for a call that we ended ourselves and that proves nothing.
    """

    def __init__(self, clock: Clock, *, failures: int = 5, rest_s: float = 10.0):
        self._clock = clock
        self._limit = failures
        self._rest_s = rest_s
        self._lock = threading.Lock()
        self._failed_in_row = 0
        self._opened_at: float | None = None
        self._is_probing = False

    @property
    def state(self) -> Circuit:
        if self._opened_at is None:
            return Circuit.CLOSED
        return Circuit.OPEN if self._waits_s() > 0 else Circuit.HALF_OPEN

    def _waits_s(self) -> float:
        opened_at = self._opened_at
        if opened_at is None:
            return 0.0
        return max(0.0, opened_at + self._rest_s - self._clock())

    def enter(self) -> None:
        """EndpointFailed ``circuit_open`` while the endpoint is left alone."""
        with self._lock:
            state = self.state
            if state is Circuit.CLOSED:
                return
            if state is Circuit.OPEN or self._is_probing:
                wait_s = max(1.0, self._waits_s())
                raise EndpointFailed("circuit_open", retry_after_s=wait_s)
            self._is_probing = True

    def succeeded(self) -> None:
        with self._lock:
            self._failed_in_row = 0
            self._opened_at = None
            self._is_probing = False

    def failed(self) -> None:
        with self._lock:
            self._failed_in_row += 1
            if self._is_probing or self._failed_in_row >= self._limit:
                self._opened_at = self._clock()
            self._is_probing = False

    def abandoned(self) -> None:
        with self._lock:
            self._is_probing = False


class RetryBudget:
    """Retries as a share of calls, so that they cannot multiply a flood.

    Each call adds ``share`` of a retry, up to ``most``; a retry takes one.
    """

    def __init__(self, *, share: float = 0.2, most: float = 10.0, start: float = 3.0):
        self._share = share
        self._most = most
        self._left = start
        self._lock = threading.Lock()

    def called(self) -> None:
        with self._lock:
            self._left = min(self._most, self._left + self._share)

    def take(self) -> bool:
        """Whether one more retry may be made; it is counted if so."""
        with self._lock:
            if self._left < 1.0:
                return False
            self._left -= 1.0
            return True
