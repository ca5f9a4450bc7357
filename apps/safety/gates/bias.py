"""Bias: does what the model says stereotype or treat a group unequally?

Runs on output only: what a person says about a group is theirs to say here. Joins the
classifier with rules for generalisations about a named group; naming a group, or a
person describing themselves, is not one.
"""

from __future__ import annotations

import math
import re
from typing import ClassVar

from apps.safety.contracts import (
    Decision,
    Inspection,
    Span,
    Stage,
    Thresholds,
    Verdict,
)
from apps.safety.gates.base import (
    OUTPUT_ONLY,
    BaseGate,
    Finding,
    GateKit,
    Ruling,
)
from apps.safety.gates.lexicons.bias_en import DISAVOWED, RULES, UNEQUAL
from apps.safety.gates.text import fold

HEAD = "stereotype"
_HEAD_FLOOR = 0.5


class BiasGate(BaseGate):
    """Replaces or blocks a stereotyping reply."""

    name: ClassVar[str] = "bias"
    version: ClassVar[str] = "1.0.0"
    stages: ClassVar[frozenset[Stage]] = OUTPUT_ONLY
    thresholds: ClassVar[tuple[str, ...]] = ("replace", "block")
    reasons: ClassVar[tuple[str, ...]] = (
        "bias.generalisation",
        "bias.unequal_advice",
        "bias.classifier",
    )

    def __init__(self, kit: GateKit) -> None:
        self._scorer = kit.scorer

    def inspect(self, inspection: Inspection, thresholds: Thresholds) -> Verdict:
        head = self._scorer.score(inspection.text, inspection.context, (HEAD,))[HEAD]
        folded = fold(inspection.text)
        rules, reasons, spans = 0.0, [], []
        for code, weight, pattern in (*RULES, *UNEQUAL):
            for match in pattern.finditer(folded.text):
                strength = weight * _disavowal(folded.text, match)
                rules = max(rules, strength)
                if strength >= _HEAD_FLOOR:
                    reasons.append(code)
                    spans.append(Span(*folded.origin(*match.span()), "STEREOTYPE"))
        if head >= _HEAD_FLOOR:
            reasons.append("bias.classifier")
        score = _join(head, rules)
        found = Finding(score, tuple(reasons), tuple(spans))
        return self.verdict(
            found, _rule(score, thresholds), model_version=self._scorer.version
        )


def _join(head: float, rules: float) -> float:
    """The classifier's odds, raised a little by a rule; a rule alone stays below half.

    On labelled posts a rule's shape stands in refusals of a stereotype nearly as often
    as in the stereotype itself, so it may not decide alone.
    """
    odds = head / max(1e-6, 1.0 - head) * math.exp(0.7 * rules)
    return max(odds / (1.0 + odds), 0.45 * rules)


def _disavowal(text: str, match: re.Match[str]) -> float:
    before = text[max(0, match.start() - 70) : match.start()]
    after = text[match.end() : match.end() + 60]
    disavowed = DISAVOWED.search(before) or DISAVOWED.search(after)
    return 0.35 if disavowed else 1.0


def _rule(score: float, thresholds: Thresholds) -> Ruling:
    if score >= thresholds.get("block"):
        return Ruling(Decision.BLOCK, thresholds.get("block"))
    replace = thresholds.get("replace")
    decision = Decision.REPLACE if score >= replace else Decision.ALLOW
    return Ruling(decision, replace)
