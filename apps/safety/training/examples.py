"""One labelled text as training sees it, and the heads it may be labelled for.

A head absent from ``labels`` is unknown there, never negative.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

HEADS = (
    "crisis",
    "crisis_high",
    "violence",
    "toxic",
    "hate",
    "threat",
    "sexual",
    "insult",
    "stereotype",
    "inappropriate",
)
FAMILIES: dict[str, tuple[str, ...]] = {
    "crisis": ("crisis", "crisis_high"),
    "violence": ("violence",),
    "toxicity": ("toxic", "hate", "threat", "sexual", "insult"),
    "bias": ("stereotype",),
    "appropriateness": ("inappropriate",),
}


@dataclass(frozen=True, slots=True)
class Example:
    """``source`` names a file or a generator; ``group`` a subgroup to report on."""

    text: str
    labels: Mapping[str, int]
    source: str
    context: tuple[str, ...] = ()
    weight: float = 1.0
    dev: bool = False
    group: str = ""
    gold: bool = False
    weights: Mapping[str, float] = field(default_factory=dict)

    @property
    def is_written(self) -> bool:
        """Made by a generator of this project, not collected."""
        return self.source.startswith(("written-", "lines-", "pairs-"))

    def weight_for(self, head: str) -> float:
        """0 where the head's label is unknown."""
        if head not in self.labels:
            return 0.0
        return self.weight * self.weights.get(head, 1.0)
