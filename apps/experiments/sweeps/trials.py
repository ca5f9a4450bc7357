"""A trial as samplers and people look at it, and which one is best."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from apps.experiments.sweeps.document import SweepPlan


@dataclass(frozen=True, slots=True)
class Tried:
    """A trial as it stands; ``score`` is None while it runs and when it failed.

    ``curve`` is the objective by step, of those steps that were logged.
    """

    number: int
    values: Mapping[str, Any]
    state: str
    score: float | None = None
    curve: Mapping[int, float] = field(default_factory=dict)


def best_of(plan: SweepPlan, tried: Sequence[Tried]) -> Tried | None:
    """The complete trial with the best score, the earliest among equals."""
    done = [one for one in tried if one.state == "complete" and one.score is not None]
    sign = -1.0 if plan.maximize else 1.0
    return min(
        done, key=lambda one: (sign * (one.score or 0.0), one.number), default=None
    )
