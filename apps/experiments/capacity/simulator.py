"""A queue that is served as a policy plans it: waits, cost and waste, by seed.

Tasks are taken in order by whichever replica is free. A replica that is wanted takes
``start_s`` to begin and is paid for from then on; one that is not wanted finishes its
task first.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable
from dataclasses import dataclass
from math import cos, pi

import numpy as np
import numpy.typing as npt

from apps.core.errors import InvalidInput
from apps.experiments.capacity.planner import Policy, Seen, desired_replicas

Floats = npt.NDArray[np.float64]
DAY_S = 86_400.0


@dataclass(frozen=True, slots=True)
class Load:
    """``rate`` is tasks a second on average; a burst is ten minutes of ten times it."""

    shape: str
    rate: float
    hours: float
    service_s: float
    seed: int = 1

    def __post_init__(self) -> None:
        if self.shape not in SHAPES:
            raise InvalidInput(f"A load is one of {', '.join(SHAPES)}.")
        if min(self.rate, self.hours, self.service_s) <= 0:
            raise InvalidInput("Rate, hours and service time are above 0.")


def _steady(seconds: Floats, load: Load) -> Floats:
    return np.ones_like(seconds)


def _wave(seconds: Floats, load: Load) -> Floats:
    """A day with a quiet night: from a tenth to 1.9 times the mean."""
    found: Floats = 1.0 - 0.9 * np.cos(2 * pi * seconds / DAY_S)
    return found


def _burst(seconds: Floats, load: Load) -> Floats:
    middle = load.hours * 1800.0
    return np.where(np.abs(seconds - middle) < 300.0, 10.0, 1.0)


SHAPES: dict[str, Callable[[Floats, Load], Floats]] = {
    "poisson": _steady,
    "wave": _wave,
    "burst": _burst,
}


def arrivals_of(load: Load) -> Floats:
    """Times in seconds, ascending: a Poisson process of the load's shape, thinned."""
    generator = np.random.default_rng(load.seed)
    peak, length = 10.0 if load.shape == "burst" else 1.0 + 0.9 * -cos(pi), 3600.0
    length *= load.hours
    count = generator.poisson(load.rate * peak * length)
    times = np.sort(generator.uniform(0.0, length, count))
    kept = generator.uniform(0.0, peak, count) < SHAPES[load.shape](times, load)
    found: Floats = times[kept]
    return found


@dataclass(frozen=True, slots=True)
class Result:
    """Waits in seconds; ``cost`` in the policy's money; ``waste`` is the share of paid
    time without a task, in [0, 1]."""

    policy: str
    tasks: int
    wait_median_s: float
    wait_p95_s: float
    wait_p99_s: float
    late: float
    peak_replicas: int
    cost: float
    cost_per_task: float
    waste: float


class _Workers:
    """Replicas by when they are free; the paid time of all."""

    def __init__(self, start_s: float) -> None:
        self.start_s = start_s
        self.free_at: list[float] = []
        self.unwanted = 0
        self.paid_s = 0.0
        self.peak = 0
        self._changed = 0.0

    @property
    def count(self) -> int:
        return len(self.free_at) - self.unwanted

    def pay_until(self, now: float) -> None:
        self.paid_s += len(self.free_at) * max(0.0, now - self._changed)
        self._changed = max(self._changed, now)

    def scale(self, wanted: int, now: float) -> None:
        self.pay_until(now)
        while self.count < wanted:
            if self.unwanted:
                self.unwanted -= 1
            else:
                heapq.heappush(self.free_at, now + self.start_s)
        self.unwanted += max(0, self.count - wanted)
        self.release(now)
        self.peak = max(self.peak, len(self.free_at))

    def release(self, now: float) -> None:
        """Let unwanted replicas go that have nothing to do."""
        while self.unwanted and self.free_at and self.free_at[0] <= now:
            heapq.heappop(self.free_at)
            self.unwanted -= 1


def simulate(
    policy: Policy, load: Load, *, start_s: float = 30.0, tick_s: float = 15.0
) -> Result:
    """What this policy would have given for this load; equal seeds, equal numbers."""
    times = arrivals_of(load)
    generator = np.random.default_rng((load.seed, 1))
    services = generator.exponential(load.service_s, len(times))
    workers = _Workers(start_s)
    waits = np.zeros(len(times))
    head = tail = 0
    changed, idle_since, now, end = -1e9, 0.0, 0.0, load.hours * 3600.0
    while now < end or head < len(times):
        tail = int(np.searchsorted(times, now, side="right"))
        idle_since = now if tail > head else idle_since
        seen = Seen(
            depth=tail - head,
            oldest_s=now - times[head] if tail > head else 0.0,
            arrivals=_lately(times, tail, now, max(300.0, 4.0 * load.service_s)),
            service_s=load.service_s,
            replicas=workers.count,
            since_change_s=now - changed,
            idle_s=now - max(idle_since, max(workers.free_at, default=0.0)),
        )
        wanted = desired_replicas(policy, seen).replicas
        changed = now if wanted != workers.count else changed
        workers.scale(wanted, now)
        head = _serve(workers, (times, services, waits), head, now + tick_s)
        now += tick_s
    workers.pay_until(now)
    return _result(policy, waits, float(services.sum()), workers)


def _lately(times: Floats, tail: int, now: float, window_s: float) -> float:
    """Arrivals a second over the last minutes, or the time of a few tasks."""
    since = max(0.0, now - window_s)
    first = int(np.searchsorted(times, since, side="right"))
    return (tail - first) / max(now - since, 1.0)


def _serve(
    workers: _Workers, work: tuple[Floats, Floats, Floats], head: int, until: float
) -> int:
    """Give tasks to whoever is free before ``until``; the first that was not given."""
    times, services, waits = work
    while head < len(times) and times[head] < until and workers.free_at:
        begin = max(float(times[head]), workers.free_at[0])
        if begin >= until:
            break
        if workers.unwanted:
            workers.pay_until(begin)
            workers.release(begin)
            continue
        heapq.heapreplace(workers.free_at, begin + float(services[head]))
        waits[head] = begin - times[head]
        head += 1
    return head


def _result(policy: Policy, waits: Floats, busy_s: float, workers: _Workers) -> Result:
    tasks = len(waits)
    cost = workers.paid_s / 3600.0 * policy.rate
    median, p95, p99 = np.percentile(waits, [50, 95, 99]) if tasks else (0.0, 0.0, 0.0)
    waste = 1.0 - busy_s / workers.paid_s if workers.paid_s else 0.0
    return Result(
        policy=policy.name,
        tasks=tasks,
        wait_median_s=round(float(median), 2),
        wait_p95_s=round(float(p95), 2),
        wait_p99_s=round(float(p99), 2),
        late=round(float((waits > policy.target_wait_s).mean()), 4) if tasks else 0.0,
        peak_replicas=workers.peak,
        cost=round(cost, 4),
        cost_per_task=round(cost / tasks, 6) if tasks else 0.0,
        waste=round(max(0.0, waste), 4),
    )
