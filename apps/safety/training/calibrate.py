"""Logits to probabilities, on one scale for all heads.

Platt scaling on dev rows scored by the quantised weights as served, so rounding is
calibrated too. Each head is then calibrated to the share of positives at which its
proposed operating point stands at even odds, so 0.5 means "at the operating point" for
every head and the highest of several heads can be taken. That share is the manifest's
``prior``. The policy in force decides; 0.5 is only a proposal.
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


def at_even_odds(scale: Scale, point: float) -> tuple[Scale, float]:
    """The scale with logit ``point`` at 0.5, and the prior that assumes."""
    before = scale.slope * point + scale.offset
    moved = Scale(scale.slope, round(-scale.slope * point, 6))
    return moved, round(float(1 / (1 + np.exp(before))), 4)


def edge_at(scores: Doubles, labels: Doubles, false_alarms: float) -> float:
    """The score that at most ``false_alarms`` of the negatives exceed."""
    calm = np.sort(scores[labels < 0.5])
    allowed = int(np.floor(false_alarms * len(calm)))
    return float(calm[len(calm) - allowed - 1]) + 1e-6
