"""Where the milliseconds of one request went, and how many are left."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from time import perf_counter


class Stopwatch:
    """Starts when made; ``deadline_ms`` counts from then."""

    def __init__(self, deadline_ms: float) -> None:
        self._deadline_ms = deadline_ms
        self._started = perf_counter()
        self._steps: dict[str, float] = {}

    def elapsed_ms(self) -> float:
        return (perf_counter() - self._started) * 1000.0

    def remaining_ms(self) -> float:
        """Negative once the deadline has passed."""
        return self._deadline_ms - self.elapsed_ms()

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        """Add the time the block takes to ``name``, also when it raises."""
        started = perf_counter()
        try:
            yield
        finally:
            spent = (perf_counter() - started) * 1000.0
            self._steps[name] = self._steps.get(name, 0.0) + spent

    def timings(self) -> dict[str, float]:
        """Milliseconds by step, and ``total``, to the microsecond."""
        found = {f"{name}_ms": round(ms, 3) for name, ms in self._steps.items()}
        return {**found, "total_ms": round(self.elapsed_ms(), 3)}
