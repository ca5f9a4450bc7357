"""Intervals, as pure functions: Wilson for shares, a seeded bootstrap for the rest.

All intervals are 95 %. Numbers are rounded to six places, so that a report's digest
does not hang on the last bit of a sum.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import sqrt

import numpy as np
import numpy.typing as npt

# The 97.5 % point of the normal distribution.
Z = 1.959963984540054
RESAMPLES = 1000
Indices = npt.NDArray[np.int64]


def tidy(value: float) -> float:
    return round(float(value), 6)


def wilson(successes: int, count: int) -> tuple[float, float]:
    """The score interval of a share; (0, 1) for no observation.

    Source: Wilson (1927); recommended for small counts by Brown, Cai and DasGupta
    (2001), Statistical Science 16(2), section 5.
    """
    if count == 0:
        return 0.0, 1.0
    share, weight = successes / count, Z * Z / count
    centre = (share + weight / 2) / (1 + weight)
    half = Z * sqrt(share * (1 - share) / count + weight / (4 * count)) / (1 + weight)
    return tidy(max(0.0, centre - half)), tidy(min(1.0, centre + half))


def bootstrap(
    statistic: Callable[[Indices], float], count: int, seed: int
) -> tuple[float, float]:
    """The percentile interval of a statistic of sample indices."""
    generator = np.random.default_rng(seed)
    values = [
        statistic(generator.integers(0, count, size=count)) for _ in range(RESAMPLES)
    ]
    low, high = np.percentile(values, [2.5, 97.5])
    return tidy(low), tidy(high)


def bootstrap_gap(groups: Sequence[tuple[int, int]], seed: int) -> tuple[float, float]:
    """The percentile interval of the largest difference between groups' shares.

    ``groups`` are (successes, count), each resampled within itself.
    """
    generator = np.random.default_rng(seed)
    shares = np.array(
        [
            generator.binomial(count, successes / count, size=RESAMPLES) / count
            for successes, count in groups
        ]
    )
    low, high = np.percentile(shares.max(axis=0) - shares.min(axis=0), [2.5, 97.5])
    return tidy(low), tidy(high)


def macro_f1(wanted: Sequence[str], given: Sequence[str]) -> float:
    """The mean over wanted labels of 2 TP / (2 TP + FP + FN), in [0, 1]."""
    scores = []
    for label in sorted(set(wanted)):
        both = sum(w == g == label for w, g in zip(wanted, given, strict=True))
        either = sum(w == label for w in wanted) + sum(g == label for g in given)
        scores.append(2 * both / either)
    return sum(scores) / len(scores) if scores else 0.0
