"""What the six gates share: their declaration and the building of a verdict.

A gate never decides about failure itself: it answers or raises, and the runner turns
whatever went wrong into the gate's ``on_failure``.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import ClassVar, Protocol

from apps.safety.contracts import (
    Decision,
    FailureDecision,
    Inspection,
    RiskLevel,
    Span,
    Stage,
    TextScorer,
    Thresholds,
    Verdict,
)
from apps.safety.gates.identifiers.found import Identifier

BOTH_STAGES = frozenset({Stage.INPUT, Stage.OUTPUT})
OUTPUT_ONLY = frozenset({Stage.OUTPUT})
ENGLISH = frozenset({"en"})


class IdentifierFinder(Protocol):
    """A further way to find identifiers in a text that holds digits."""

    def find(self, text: str) -> Iterable[Identifier]: ...

    def __hash__(self) -> int: ...


class NameTagger(Protocol):
    """Finds names of people, places and organisations by a model."""

    version: str

    def tag(self, text: str) -> Iterable[tuple[int, int, str, float]]:
        """(start, end, kind, probability), in order, without overlaps."""
        ...

    def __hash__(self) -> int: ...


@dataclass(frozen=True, slots=True)
class Finding:
    """What a gate found before a decision is drawn from it."""

    score: float
    reasons: tuple[str, ...] = ()
    spans: tuple[Span, ...] = ()
    risk: RiskLevel | None = None


@dataclass(frozen=True, slots=True)
class Ruling:
    """A decision and the threshold it was drawn at."""

    decision: Decision
    threshold: float | None = field(default=None)


@dataclass(frozen=True, slots=True)
class GateKit:
    """What gates are built from; a gate opens nothing itself."""

    scorer: TextScorer
    second: IdentifierFinder | None = None
    names: NameTagger | None = None


class BaseGate(ABC):
    """Base of all gates; ``load_family`` refuses anything else."""

    name: ClassVar[str] = ""
    version: ClassVar[str]
    stages: ClassVar[frozenset[Stage]]
    languages: ClassVar[frozenset[str]] = ENGLISH
    deadline_ms: ClassVar[float] = 500.0
    on_failure: ClassVar[FailureDecision] = FailureDecision.BLOCK
    reasons: ClassVar[tuple[str, ...]]
    thresholds: ClassVar[tuple[str, ...]] = ()

    @abstractmethod
    def __init__(self, kit: GateKit) -> None: ...

    @abstractmethod
    def inspect(self, inspection: Inspection, thresholds: Thresholds) -> Verdict:
        """The gate's verdict; may raise, which the runner turns into a failure."""

    def verdict(
        self, found: Finding, ruling: Ruling, *, model_version: str = ""
    ) -> Verdict:
        """A verdict of this gate, with the score held inside [0, 1]."""
        return Verdict(
            gate=self.name,
            gate_version=self.version,
            decision=ruling.decision,
            score=round(min(1.0, max(0.0, found.score)), 6),
            threshold=ruling.threshold,
            reasons=unique(found.reasons),
            spans=found.spans,
            risk=found.risk,
            model_version=model_version,
        )


def unique(codes: Iterable[str]) -> tuple[str, ...]:
    """The codes in order of first appearance, each once."""
    return tuple(dict.fromkeys(codes))


def either(*scores: float) -> float:
    """Noisy-or: the chance that at least one of independent signals is right."""
    rest = 1.0
    for score in scores:
        rest *= 1.0 - min(1.0, max(0.0, score))
    return 1.0 - rest
