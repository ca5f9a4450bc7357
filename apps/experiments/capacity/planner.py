"""Desired replicas of one queue from what is seen of it now: a pure function.

More is given at once, less only after a while: waiting people cost more than idle
workers, and a queue that breathes must not make workers come and go with each breath.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil, floor, sqrt

from apps.core.errors import InvalidInput


@dataclass(frozen=True, slots=True)
class Policy:
    """``rate`` is money for one replica and hour, ``budget`` money an hour at most.

    ``scales_to_zero`` lets an idle queue have none; the first task then waits for a
    replica to start. Seconds everywhere else.
    """

    name: str
    target_wait_s: float
    least: int = 1
    most: int = 10
    cooldown_s: float = 300.0
    scales_to_zero: bool = False
    rate: float = 1.0
    budget: float | None = None

    def __post_init__(self) -> None:
        if self.target_wait_s <= 0 or self.cooldown_s < 0:
            raise InvalidInput("target_wait_s is above 0 and cooldown_s not below.")
        if not 0 <= self.least <= self.most or self.most < 1:
            raise InvalidInput("least and most are replicas, 0 <= least <= most.")
        if self.least == 0 and not self.scales_to_zero:
            raise InvalidInput("least is 0 only for a policy that scales to zero.")
        if self.rate < 0 or (self.budget is not None and self.budget < self.rate):
            raise InvalidInput("The budget pays for one replica at least.")

    @property
    def ceiling(self) -> int:
        """The most replicas that policy and budget allow."""
        if self.budget is None or self.rate == 0:
            return self.most
        return min(self.most, floor(self.budget / self.rate))


@dataclass(frozen=True, slots=True)
class Seen:
    """One queue now. ``arrivals`` are tasks a second lately, ``service_s`` the mean
    time of one task; ``since_change_s`` since replicas last changed, ``idle_s`` since
    there was anything to do."""

    depth: int
    oldest_s: float
    arrivals: float
    service_s: float
    replicas: int
    since_change_s: float = 1e9
    idle_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Wanted:
    """How many, and what decided it."""

    replicas: int
    reason: str


def desired_replicas(policy: Policy, seen: Seen) -> Wanted:
    """Enough for the arrivals with room for chance, and for the backlog in time.

    Source: square-root staffing, Halfin and Whitt (1981), Operations Research 29(3).
    """
    if policy.scales_to_zero and seen.depth == 0 and seen.idle_s >= policy.cooldown_s:
        return Wanted(0, "idle")
    busy = seen.arrivals * seen.service_s
    # No more than one replica a waiting task: a task cannot be shared.
    backlog = seen.depth * min(1.0, seen.service_s / policy.target_wait_s)
    need, reason = ceil(busy + sqrt(busy) + backlog), "arrivals and backlog"
    if seen.depth and seen.oldest_s > policy.target_wait_s:
        need, reason = max(need, seen.replicas + 1), "oldest task is late"
    need = max(need, 1 if seen.depth else policy.least, policy.least)
    if need < seen.replicas and seen.since_change_s < policy.cooldown_s:
        need, reason = seen.replicas, "cooling down"
    if need > policy.ceiling:
        limit = "budget" if policy.ceiling < policy.most else "most replicas"
        return Wanted(policy.ceiling, limit)
    return Wanted(need, reason if need > policy.least else "least replicas")
