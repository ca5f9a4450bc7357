"""What a gate is given, what it answers, and in which order answers outrank each other.

Frozen values only, nothing from Django: a gate is a pure function of its inspection and
its thresholds. ``ALLOW`` on failure cannot be written down: ``FailureDecision`` has no
such member.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import IntEnum, StrEnum
from typing import ClassVar, Protocol


class Stage(StrEnum):
    INPUT = "input"
    OUTPUT = "output"


class Decision(IntEnum):
    """Ordered by strictness: the strictest verdict wins."""

    ALLOW = 0
    MASK = 1
    REPLACE = 2
    BLOCK = 3
    ESCALATE = 4

    @property
    def slug(self) -> str:
        return self.name.lower()


class FailureDecision(IntEnum):
    """What a gate that fails may decide; never ALLOW."""

    BLOCK = Decision.BLOCK.value
    ESCALATE = Decision.ESCALATE.value


class RiskLevel(StrEnum):
    """Screening levels in C-SSRS vocabulary; a screening signal, not a C-SSRS score."""

    NONE = "none"
    LOW = "low"
    MODERATE = "moderate"
    HIGH = "high"
    IMMINENT = "imminent"


@dataclass(frozen=True, slots=True)
class Span:
    """Half-open range in code points of the inspected text, with what stands there."""

    start: int
    end: int
    type: str


@dataclass(frozen=True, slots=True)
class Inspection:
    """What a gate may look at. ``context`` holds earlier turns, oldest first.

    ``deadline_ms`` is the time the gate may take from its call. ``languages`` of a gate
    are matched with the primary subtag of ``locale`` (``en-GB`` -> ``en``).
    """

    text: str
    stage: Stage
    locale: str = "en"
    context: tuple[str, ...] = ()
    deadline_ms: float = 1000.0


@dataclass(frozen=True, slots=True)
class Verdict:
    """A gate's answer. It carries no text from the person.

    ``score`` in [0, 1] is the continuous score, also when the decision is ALLOW; None
    only when the gate failed. ``reasons`` come from the gate's published list.
    """

    gate: str
    gate_version: str
    decision: Decision
    score: float | None
    threshold: float | None
    reasons: tuple[str, ...] = ()
    spans: tuple[Span, ...] = ()
    risk: RiskLevel | None = None
    model_version: str = ""
    elapsed_ms: float = 0.0
    failed: bool = False


@dataclass(frozen=True, slots=True)
class Thresholds:
    """One gate's numbers from the policy in force, by name, all in [0, 1]."""

    values: Mapping[str, float] = field(default_factory=dict)

    def get(self, name: str) -> float:
        return self.values[name]


class Gate(Protocol):
    """Looks at one text and returns one verdict; deterministic, total over Unicode.

    ``version`` changes whenever results could. ``reasons`` is the published list of
    reason codes. A gate opens nothing itself: models are handed to its constructor.
    """

    name: ClassVar[str]
    version: ClassVar[str]
    stages: ClassVar[frozenset[Stage]]
    languages: ClassVar[frozenset[str]]
    deadline_ms: ClassVar[float]
    on_failure: ClassVar[FailureDecision]
    reasons: ClassVar[tuple[str, ...]]

    def inspect(self, inspection: Inspection, thresholds: Thresholds) -> Verdict: ...


class TextScorer(Protocol):
    """A gate classifier: calibrated probabilities by head for one text.

    ``context`` holds earlier turns, oldest first; only heads trained on pairs use it.
    A gate names the ``heads`` that it needs and whether it ``decides`` by them, so that
    a dear model need not run for more; no heads means all. More may come back than were
    asked for.
    """

    version: str
    heads: tuple[str, ...]

    def score(
        self,
        text: str,
        context: Sequence[str] = (),
        heads: Sequence[str] = (),
        *,
        decides: bool = True,
    ) -> Mapping[str, float]: ...


def strictest(verdicts: Sequence[Verdict]) -> Decision:
    """The strictest decision; BLOCK when there is no verdict at all (fails closed)."""
    return max((verdict.decision for verdict in verdicts), default=Decision.BLOCK)
