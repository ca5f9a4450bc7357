"""What a step's counts say: rates with intervals, breaches, and what is waited for.

Pure: totals and a plan in, findings out. A breach takes the rollout back; so does a
sample ratio that assignment cannot have given, since then no comparison can be trusted.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from math import exp, log

import numpy as np

from apps.experiments.rollouts.plan import CONTROL, Plan
from apps.experiments.rollouts.sequential import (
    Counts,
    Moments,
    difference_interval,
    exceeds,
    log_evidence_of_pairs,
    log_evidence_of_ratio,
    mean_interval,
    rate_interval,
)
from apps.experiments.statistics import tidy

SAMPLE_RATIO = "sample_ratio"
SHADOW = "shadow_refusals"
# e-values are shown up to about 10**12: beyond, a larger one says nothing more.
LARGEST_LOG = 27.6


@dataclass(frozen=True, slots=True)
class ArmTotals:
    """One arm in one step: ``events`` by guard among ``units``, predictions in ms."""

    requests: int = 0
    units: int = 0
    events: Mapping[str, int] = field(default_factory=dict)
    latency: Moments = field(default_factory=lambda: Moments(0, 0.0, 0.0))


@dataclass(frozen=True, slots=True)
class ShadowTotals:
    """Compared pairs: the same reply, only the shadow refused, only the served one."""

    compared: int = 0
    same_reply: int = 0
    shadow_refused: int = 0
    served_refused: int = 0
    failed: int = 0


@dataclass(frozen=True, slots=True)
class Rate:
    """A guard's rate in one arm and, for a candidate, its distance from control.

    Intervals hold at every look at once. ``breach`` says that the distance is above
    ``margin`` for certain.
    """

    guard: str
    events: int
    value: float
    low: float
    high: float
    margin: float
    change: float | None = None
    change_low: float | None = None
    change_high: float | None = None
    breach: bool = False


@dataclass(frozen=True, slots=True)
class ArmFindings:
    name: str
    share: float
    requests: int
    units: int
    rates: tuple[Rate, ...]
    latency_ms: float
    slower_ms: tuple[float, float] | None = None


@dataclass(frozen=True, slots=True)
class Findings:
    """Everything a step shows. ``breaches`` are ``arm/guard`` in order."""

    step: int
    alpha: float
    arms: tuple[ArmFindings, ...]
    ratio_evidence: float
    shadows: Mapping[str, ShadowTotals]
    breaches: tuple[str, ...]

    def as_dict(self) -> dict[str, object]:
        return asdict(self)


def examine(
    plan: Plan,
    number: int,
    totals: Mapping[str, ArmTotals],
    shadows: Mapping[str, ShadowTotals],
) -> Findings:
    """Judge step ``number`` by its totals so far; ``totals`` has every arm."""
    step, alpha = plan.steps[number], plan.alpha
    seen = [arm for arm in (CONTROL, *sorted(plan.arms)) if step.share(arm) > 0.0]
    arms = tuple(_arm(plan, number, arm, totals) for arm in seen)
    ratio = _ratio(plan, number, seen, totals)
    breaches = [
        f"{arm.name}/{rate.guard}" for arm in arms for rate in arm.rates if rate.breach
    ]
    breaches += [f"{arm}/{SHADOW}" for arm, pairs in shadows.items()
                 if _is_worse(pairs, alpha)]  # fmt: skip
    if ratio >= log(1.0 / alpha):
        breaches.append(SAMPLE_RATIO)
    return Findings(
        step=number,
        alpha=alpha,
        arms=arms,
        ratio_evidence=tidy(exp(min(ratio, LARGEST_LOG))),
        shadows=dict(shadows),
        breaches=tuple(breaches),
    )


def _arm(
    plan: Plan, number: int, arm: str, totals: Mapping[str, ArmTotals]
) -> ArmFindings:
    own, control = totals[arm], totals[CONTROL]
    compared = None if arm == CONTROL else control
    slower = (
        None
        if compared is None or min(own.latency.count, control.latency.count) < 2
        else mean_interval(control.latency, own.latency, plan.alpha)
    )
    return ArmFindings(
        name=arm,
        share=tidy(plan.steps[number].share(arm)),
        requests=own.requests,
        units=own.units,
        rates=tuple(_rate(plan, guard, own, compared) for guard in plan.guards),
        latency_ms=tidy(own.latency.mean),
        slower_ms=None if slower is None else (tidy(slower[0]), tidy(slower[1])),
    )


def _rate(plan: Plan, guard: str, own: ArmTotals, control: ArmTotals | None) -> Rate:
    events, margin = own.events.get(guard, 0), plan.guards[guard]
    counts = Counts(events, own.units)
    low, high = rate_interval(counts, plan.alpha)
    rate = Rate(guard, events, tidy(float(counts.rate)), tidy(low), tidy(high), margin)
    if control is None:
        return rate
    base = Counts(control.events.get(guard, 0), control.units)
    change_low, change_high = difference_interval(base, counts, plan.alpha)
    return Rate(
        guard, events, rate.value, rate.low, rate.high, margin,
        change=tidy(float(counts.rate - base.rate)),
        change_low=tidy(change_low),
        change_high=tidy(change_high),
        breach=bool(exceeds(base, counts, margin, plan.alpha)),
    )  # fmt: skip


def _ratio(
    plan: Plan, number: int, seen: list[str], totals: Mapping[str, ArmTotals]
) -> float:
    if len(seen) < 2:
        return 0.0
    shares = np.array([plan.steps[number].share(arm) for arm in seen])
    units = np.array([totals[arm].units for arm in seen], dtype=np.float64)
    return float(log_evidence_of_ratio(units, shares))


def _is_worse(pairs: ShadowTotals, alpha: float) -> bool:
    """Whether the gates refuse the shadow's replies more often, for certain."""
    worse, better = pairs.shadow_refused, pairs.served_refused
    return worse > better and bool(
        log_evidence_of_pairs(worse, better) >= log(1.0 / alpha)
    )


def waits_for(plan: Plan, findings: Findings, minutes: float) -> tuple[str, ...]:
    """Why the next step has to wait, in words; empty when it need not."""
    step = plan.steps[findings.step]
    reasons = [f"breach of {name}" for name in findings.breaches]
    if minutes < step.minutes:
        reasons.append(f"{step.minutes - minutes:.1f} more minutes")
    for arm in findings.arms:
        if arm.units < step.units:
            reasons.append(f"{step.units - arm.units} more units in {arm.name}")
    for name in step.shadow:
        compared = findings.shadows.get(name, ShadowTotals()).compared
        if compared < step.units:
            reasons.append(f"{step.units - compared} more comparisons of {name}")
    return tuple(reasons)
