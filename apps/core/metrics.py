"""What every app counts alike: problems by code, and labels that stay few.

A label's values must come from a list that nobody outside can lengthen. Where they are
rows (models), ``Bounded`` stops at a number and says "other" from then on, so that a
mistake costs precision, not the memory of Prometheus.
"""

from __future__ import annotations

import threading

from prometheus_client import Counter

# Codes are attributes of error classes: a closed list.
PROBLEMS = Counter("pe_problems_total", "Problems answered, by code.", ("code",))
OTHER = "other"


class Bounded:
    """Values seen first keep their names; those after ``limit`` of them are "other"."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._seen: set[str] = set()
        self._adding = threading.Lock()

    def __call__(self, value: str) -> str:
        if value in self._seen:
            return value
        with self._adding:
            if len(self._seen) >= self._limit:
                return OTHER
            self._seen.add(value)
        return value


def count_problem(code: str) -> None:
    """One problem that was told to a caller."""
    PROBLEMS.labels(code).inc()
