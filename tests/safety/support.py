"""A scorer with fixed answers, so that a gate's own rules can be seen alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from apps.safety.contracts import Inspection, Stage
from apps.safety.gates.base import GateKit

HEADS = (
    "crisis", "crisis_high", "violence", "toxic", "hate", "threat", "sexual", "insult",
    "stereotype", "inappropriate",
)  # fmt: skip


class FixedScorer:
    """Every head at one number, unless told otherwise."""

    version = "fixed-1"
    heads = HEADS

    def __init__(self, level: float = 0.05, **heads: float) -> None:
        self._answer = {**dict.fromkeys(HEADS, level), **heads}
        self.calls = 0

    def score(
        self,
        text: str,
        context: Sequence[str] = (),
        heads: Sequence[str] = (),
        *,
        decides: bool = True,
    ) -> Mapping[str, float]:
        self.calls += 1
        return self._answer


def kit(level: float = 0.05, **heads: float) -> GateKit:
    return GateKit(FixedScorer(level, **heads))


def said(text: str, *context: str, locale: str = "en") -> Inspection:
    return Inspection(text, Stage.INPUT, locale, context, 60_000.0)


def replied(text: str, *context: str, locale: str = "en") -> Inspection:
    return Inspection(text, Stage.OUTPUT, locale, context, 60_000.0)
