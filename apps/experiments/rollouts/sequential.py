"""Statistics that stay sound however often someone looks.

Each test is an e-process: a number that, while nothing is wrong, exceeds 1/alpha at any
look, ever, with probability at most alpha. So a watcher may look every few seconds and
stop at the first alarm. All are closed forms of running totals: nothing has to be kept
between two looks.

Sources: rates, mixture likelihood ratio against the best fitting null (Robbins 1970;
Johari, Koomen, Pekelis and Walsh 2022, Operations Research 70(3), for mixture SPRT;
Wasserman, Ramdas and Balakrishnan 2020, PNAS 117(29), for the composite null). Means,
normal mixture confidence sequence (Waudby-Smith et al. 2024, Annals of Statistics
52(6)). Sample ratio, Dirichlet-multinomial mixture (Lindon and Malek 2022, NeurIPS).

Functions on rates and ratios take arrays and broadcast.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import log, sqrt

import numpy as np
import numpy.typing as npt
from scipy.special import (  # type: ignore[import-untyped]
    betaln,
    gammaln,
    xlog1py,
    xlogy,
)

Floats = npt.NDArray[np.float64]
# Jeffreys' prior: no rate is favoured, and rare ones are not smoothed away.
PRIOR = 0.5
# Halvings of an interval: 2**-50 is below what a share of any count can show.
HALVINGS = 50
EDGE = 1e-12
# How strongly the sample ratio is expected to hold, in units already seen.
RATIO_WEIGHT = 100.0
# The difference of means that the mixture is tuned to, in standard deviations.
EFFECT = 0.1


@dataclass(frozen=True, slots=True)
class Counts:
    """``events`` among ``units``, 0 <= events <= units; numbers or arrays."""

    events: npt.ArrayLike
    units: npt.ArrayLike

    @property
    def misses(self) -> Floats:
        return _floats(self.units) - _floats(self.events)

    @property
    def rate(self) -> Floats:
        """Events per unit in [0, 1]; 0 where there is no unit."""
        return _floats(self.events) / np.maximum(_floats(self.units), 1.0)


@dataclass(frozen=True, slots=True)
class Moments:
    """Running totals of a measured quantity: ``count``, sum and sum of squares."""

    count: int
    total: float
    squares: float

    @property
    def mean(self) -> float:
        return self.total / self.count if self.count else 0.0

    @property
    def variance(self) -> float:
        if self.count < 2:
            return 0.0
        centred = self.squares - self.count * self.mean**2
        return max(0.0, centred / (self.count - 1))


# -- rates -----------------------------------------------------------------------------
def log_mixture(counts: Counts) -> Floats:
    """The log likelihood of the counts, averaged over every rate."""
    mixed: Floats = betaln(
        PRIOR + _floats(counts.events), PRIOR + counts.misses
    ) - betaln(PRIOR, PRIOR)
    return mixed


def log_evidence(control: Counts, treated: Counts, difference: float) -> Floats:
    """Log e-value against ``rate of treated - rate of control = difference``.

    Exact at any sample size. At least log(1/alpha) means: the difference is another
    one, with at most alpha chance of ever saying so wrongly.
    """
    best = _best_null(control, treated, difference)
    return log_mixture(control) + log_mixture(treated) - best


def _best_null(control: Counts, treated: Counts, difference: float) -> Floats:
    """The largest log likelihood of rates that differ by exactly ``difference``."""
    shape = np.broadcast_shapes(
        np.shape(control.events), np.shape(treated.events), np.shape(control.units)
    )
    low = np.full(shape, max(0.0, -difference) + EDGE)
    high = np.full(shape, min(1.0, 1.0 - difference) - EDGE)

    def slope(rate: Floats) -> Floats:
        return (
            _floats(control.events) / rate
            - control.misses / (1.0 - rate)
            + _floats(treated.events) / (rate + difference)
            - treated.misses / (1.0 - rate - difference)
        )

    rate = _halved(slope, low, high)
    return _log_likelihood(control, rate) + _log_likelihood(treated, rate + difference)


def _halved(falling: Callable[[Floats], Floats], low: Floats, high: Floats) -> Floats:
    """Where a falling function crosses zero, or the end nearest to it."""
    for _ in range(HALVINGS):
        middle = (low + high) / 2.0
        above = falling(middle) > 0.0
        low, high = np.where(above, middle, low), np.where(above, high, middle)
    return (low + high) / 2.0


def _log_likelihood(counts: Counts, rate: Floats) -> Floats:
    inside = np.clip(rate, 0.0, 1.0)
    found: Floats = xlogy(_floats(counts.events), inside) + xlog1py(
        counts.misses, -inside
    )
    return found


def exceeds(
    control: Counts, treated: Counts, margin: float, alpha: float
) -> npt.NDArray[np.bool_]:
    """Whether treated is certainly more than ``margin`` above control."""
    beyond = treated.rate - control.rate > margin
    strong = log_evidence(control, treated, margin) >= log(1.0 / alpha)
    found: npt.NDArray[np.bool_] = np.logical_and(beyond, strong)
    return found


def rate_interval(counts: Counts, alpha: float) -> tuple[float, float]:
    """Always-valid interval of one rate, in [0, 1]; for single numbers."""
    mixed, bar = float(log_mixture(counts)), log(1.0 / alpha)

    def is_outside(rate: float) -> bool:
        return mixed - float(_log_likelihood(counts, np.asarray(rate))) >= bar

    centre = float(counts.rate)
    return _edge(is_outside, 0.0, centre), _edge(is_outside, 1.0, centre)


def difference_interval(
    control: Counts, treated: Counts, alpha: float
) -> tuple[float, float]:
    """Always-valid interval of treated minus control, in [-1, 1]; single numbers."""
    bar = log(1.0 / alpha)

    def is_outside(difference: float) -> bool:
        return float(log_evidence(control, treated, difference)) >= bar

    centre = float(treated.rate - control.rate)
    limit = 1.0 - 1e-9
    return _edge(is_outside, -limit, centre), _edge(is_outside, limit, centre)


def _edge(is_outside: Callable[[float], bool], far: float, near: float) -> float:
    """The border between ``near``, which is inside, and ``far``."""
    if not is_outside(far):
        return float(round(far))
    for _ in range(HALVINGS):
        middle = (far + near) / 2.0
        far, near = (middle, near) if is_outside(middle) else (far, middle)
    return near


# -- pairs -----------------------------------------------------------------------------
def log_evidence_of_pairs(worse: npt.ArrayLike, better: npt.ArrayLike) -> Floats:
    """Log e-value against "as often worse as better", over pairs that disagree.

    A sequential McNemar test: right however the two of a pair depend on each other.
    """
    pairs = Counts(worse, _floats(worse) + _floats(better))
    return log_mixture(pairs) + _floats(pairs.units) * log(2.0)


# -- sample ratio ----------------------------------------------------------------------
def log_evidence_of_ratio(counts: Floats, shares: Floats) -> Floats:
    """Log e-value against units falling to arms by ``shares``; arms on the last axis.

    ``shares`` are positive and sum to 1.
    """
    prior = RATIO_WEIGHT * np.asarray(shares, dtype=np.float64)
    seen = np.asarray(counts, dtype=np.float64)
    mixed = _log_dirichlet(prior + seen) - _log_dirichlet(prior)
    expected: Floats = xlogy(seen, np.asarray(shares)).sum(axis=-1)
    found: Floats = mixed - expected
    return found


def _log_dirichlet(weights: Floats) -> Floats:
    found: Floats = gammaln(weights).sum(axis=-1) - gammaln(weights.sum(axis=-1))
    return found


# -- means -----------------------------------------------------------------------------
def mean_interval(
    control: Moments, treated: Moments, alpha: float
) -> tuple[float, float]:
    """Always-valid interval of the difference of means, in the quantity's unit.

    Asymptotic: right once both arms have some hundred units. Infinite below two.
    """
    if min(control.count, treated.count) < 2:
        return float("-inf"), float("inf")
    noise = control.variance / control.count + treated.variance / treated.count
    half = half_width(noise, (control.variance + treated.variance) / 2.0, alpha)
    centre = treated.mean - control.mean
    return centre - half, centre + half


def half_width(noise: float, variance: float, alpha: float) -> float:
    """Half the interval of an estimate whose variance is ``noise``.

    ``variance`` is that of one unit; it sets the scale the mixture looks for.
    """
    if noise <= 0.0:
        return 0.0
    scale = max(EFFECT**2 * variance, EDGE)
    spread = noise * (noise + scale) / scale
    return sqrt(spread * (2.0 * log(1.0 / alpha) + log((noise + scale) / noise)))


def _floats(value: npt.ArrayLike) -> Floats:
    return np.asarray(value, dtype=np.float64)
