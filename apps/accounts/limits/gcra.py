"""The generic cell rate algorithm as a pure function of integers.

Source: ITU-T I.371 annex A (virtual scheduling). One number is kept per key, the
theoretical arrival time (TAT). Times are whole microseconds, so that Python, SQLite
and Lua agree to the last digit.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

US_PER_S = 1_000_000


@dataclass(frozen=True, slots=True)
class Bucket:
    """A rate in requests a second and how many may come at once."""

    rate: float
    burst: int

    @property
    def interval_us(self) -> int:
        """Microseconds a request costs, rounded up: never more than the rate."""
        return math.ceil(US_PER_S / self.rate)

    @property
    def capacity_us(self) -> int:
        return self.interval_us * self.burst


@dataclass(frozen=True, slots=True)
class Grant:
    """The outcome: ``tat_us`` is what to store when ``allowed``."""

    allowed: bool
    tat_us: int
    remaining: int
    reset_us: int
    retry_us: int


def decide(tat_us: int, now_us: int, bucket: Bucket, cost: int = 1) -> Grant:
    """Whether ``cost`` requests fit now, given the stored TAT (0 when there is none).

    A TAT further ahead than a full bucket is impossible unless the clock went back (a
    restart); it counts as an empty bucket, so nobody is locked out for longer.
    """
    full = now_us + bucket.capacity_us
    start = min(max(tat_us, now_us), full)
    after = start + cost * bucket.interval_us
    if after > full:
        return Grant(
            allowed=False,
            tat_us=start,
            remaining=(full - start) // bucket.interval_us,
            reset_us=start - now_us,
            retry_us=after - full,
        )
    return Grant(
        allowed=True,
        tat_us=after,
        remaining=(full - after) // bucket.interval_us,
        reset_us=after - now_us,
        retry_us=0,
    )
