"""What a second judge is given and what it answers; nothing here can allow anything.

A judge is any other classifier of the same questions: a guard model behind an endpoint,
or a folder of weights. What its scores lead to is in the policy (judges.rules).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

from apps.safety.contracts import Decision, Inspection, Span, Stage


class JudgeFailed(Exception):
    """A judge gave no readable answer; ``code`` says why without quoting anybody."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True, slots=True)
class Judgement:
    """Scores in [0, 1] by gate name; ``spans`` are identifiers in the text as given."""

    scores: Mapping[str, float] = field(default_factory=dict)
    spans: tuple[Span, ...] = ()


@dataclass(frozen=True, slots=True)
class Disagreement:
    """One gate and one judge that are far apart over one text, without the text."""

    gate: str
    judge: str
    judge_version: str
    stage: Stage
    locale: str
    gate_decision: Decision
    gate_score: float
    judge_score: float
    text_digest: str
    policy_digest: str


class Judge(ABC):
    """Base of all judges; ``name`` is the key it has in PE_JUDGES.

    ``reads_masked``: it is given the text with identifiers hidden, since it leaves this
    machine. ``gates`` are the gates it can speak about.
    """

    reads_masked: ClassVar[bool] = False
    version: str
    gates: frozenset[str]

    # Any: JSON values of the settings, checked by each judge.
    @abstractmethod
    def __init__(self, name: str, options: Mapping[str, Any]) -> None: ...

    @abstractmethod
    def judge(self, inspection: Inspection) -> Judgement:
        """Scores for some of ``gates``; raises JudgeFailed when there is no answer."""
