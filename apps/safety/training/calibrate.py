"""Logits to probabilities, and the operating point proposed for each head.

Platt scaling on dev rows scored by the quantised weights as served, so rounding is
calibrated too. A threshold is only a proposal: the policy in force decides.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import optimize  # type: ignore[import-untyped]

Doubles = NDArray[np.float64]
MINIMUM_SLOPE = 1e-3


@dataclass(frozen=True)
class Scale:
    """probability = 1 / (1 + exp(-(slope * logit + offset)))."""

    slope: float
    offset: float

    def __call__(self, logits: Doubles) -> Doubles:
        return np.asarray(1 / (1 + np.exp(-(self.slope * logits + self.offset))))


def platt(logits: Doubles, labels: Doubles, weights: Doubles) -> Scale:
    """Weighted maximum likelihood with Platt's smoothed targets (Platt 1999, 2.2).

    The two classes are given equal total weight, so 0.5 is where a text is as likely
    to come from either.
    """
    positive = labels > 0.5
    share = np.where(
        positive, weights / weights[positive].sum(), weights / weights[~positive].sum()
    )
    target = np.where(
        positive, 1 - 1 / (positive.sum() + 2), 1 / ((~positive).sum() + 2)
    )

    def loss(parameters: Doubles) -> float:
        z = np.exp(parameters[0]) * logits + parameters[1]
        return float((share * (np.logaddexp(0, z) - target * z)).sum())

    found = optimize.minimize(loss, np.zeros(2), method="Nelder-Mead")
    slope = max(MINIMUM_SLOPE, float(np.exp(found.x[0])))
    return Scale(round(slope, 6), round(float(found.x[1]), 6))


def threshold_at(scores: Doubles, labels: Doubles, false_alarms: float) -> float:
    """Lowest threshold whose share of negatives at or above it is <= false_alarms."""
    calm = np.sort(scores[labels < 0.5])
    allowed = int(np.floor(false_alarms * len(calm)))
    edge = calm[len(calm) - allowed - 1]
    return float(min(0.99, max(0.01, np.ceil((edge + 1e-4) * 1e4) / 1e4)))
