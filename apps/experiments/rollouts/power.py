"""How many units a canary needs before its guards can see a given harm.

The answer allows for looking all the time: it asks when the always-valid test has the
wanted chance of having fired, not when a test that may look once would.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil, sqrt
from statistics import NormalDist

from apps.core.errors import InvalidInput
from apps.experiments.rollouts.sequential import Counts, exceeds

MOST_UNITS = 1 << 34


@dataclass(frozen=True, slots=True)
class Harm:
    """A change that must be seen: from ``base`` to ``base + change``, rates in [0, 1].

    ``margin`` is what the guard tolerates; ``share`` is the candidate's of the traffic.
    """

    base: float
    change: float
    share: float
    margin: float = 0.0

    def __post_init__(self) -> None:
        if not 0.0 <= self.base < self.base + self.change <= 1.0:
            raise InvalidInput("The base rate and base + change are from 0 to 1.")
        if not 0.0 <= self.margin < self.change:
            raise InvalidInput("A change within the margin is no harm to be seen.")
        if not 0.0 < self.share < 1.0:
            raise InvalidInput("The share is above 0 and below 1.")


def units_needed(harm: Harm, alpha: float, power: float) -> int:
    """Units of both arms together, after which the guard has fired with ``power``.

    Found by doubling and halving on the counts that lie ``power`` standard errors on
    the harmless side of what is expected. InvalidInput when no traffic would do.
    """
    if not (0.0 < alpha < 1.0 and 0.0 < power < 1.0):
        raise InvalidInput("alpha and power are above 0 and below 1.")
    high = 16
    while not _fires(harm, high, alpha, power):
        high *= 2
        if high > MOST_UNITS:
            raise InvalidInput("No realistic traffic shows so small a change.")
    low = high // 2
    while high - low > max(1, high // 200):
        middle = (low + high) // 2
        if _fires(harm, middle, alpha, power):
            high = middle
        else:
            low = middle
    return high


def _fires(harm: Harm, units: int, alpha: float, power: float) -> bool:
    treated, control = harm.share * units, (1.0 - harm.share) * units
    if treated < 1.0 or control < 1.0:
        return False
    bad = harm.base + harm.change
    noise = harm.base * (1.0 - harm.base) / control + bad * (1.0 - bad) / treated
    unlucky = bad - NormalDist().inv_cdf(power) * sqrt(noise)
    if unlucky <= harm.base:
        return False
    # The chance of having fired by now is at least that of firing at this look.
    return bool(
        exceeds(
            Counts(harm.base * control, control),
            Counts(unlucky * treated, treated),
            harm.margin,
            alpha,
        )
    )


def share_of(units: int, share: float) -> int:
    """How many of the units reach the candidate."""
    return ceil(units * share)
