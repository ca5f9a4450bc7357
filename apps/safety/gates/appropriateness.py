"""Appropriateness: would a supervising clinician let a supportive assistant say this?

Rules over what the person said and what the reply says, joined with the classifier's
``inappropriate`` head. The rules follow the boundaries of peer support: no diagnosis,
no dosage, no way to do harm, nothing against seeking care, no agreeing with a delusion,
no brushing off, no claim to be a clinician, and help named once risk was spoken of.
"""

from __future__ import annotations

from collections.abc import Iterator
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
    either,
)
from apps.safety.gates.crisis_signs import read_signs
from apps.safety.gates.lexicons.appropriateness_en import (
    ABOUT_PERSON,
    CODES,
    HEDGED,
    REFERRAL,
    RULES,
    WARMTH,
)
from apps.safety.gates.text import Folded, clause_before, fold

HEAD = "inappropriate"
_CONTEXT_TURNS = 4
_CONTEXT_CHARS = 2000
_FLOOR = 0.4
_RISK_FLOOR = 0.5


class AppropriatenessGate(BaseGate):
    """Replaces or blocks a reply that a clinician would not stand behind."""

    name: ClassVar[str] = "appropriateness"
    version: ClassVar[str] = "1.0.0"
    stages: ClassVar[frozenset[Stage]] = OUTPUT_ONLY
    thresholds: ClassVar[tuple[str, ...]] = ("replace", "block")
    reasons: ClassVar[tuple[str, ...]] = (
        *(f"appropriateness.{code}" for code in CODES),
        "appropriateness.no_referral",
        "appropriateness.classifier",
    )

    def __init__(self, kit: GateKit) -> None:
        self._scorer = kit.scorer

    def inspect(self, inspection: Inspection, thresholds: Thresholds) -> Verdict:
        folded = fold(inspection.text)
        said = fold(" \n ".join(_recent(inspection.context))).text
        hits = list(_rule_hits(folded, said))
        missing = _missing_referral(inspection.context, folded.text)
        head = self._scorer.score(inspection.text, inspection.context, (HEAD,))[HEAD]
        score = _combine(
            head, [weight for _code, weight, _span in hits], missing, folded
        )
        reasons = [f"appropriateness.{c}" for c, weight, _ in hits if weight >= _FLOOR]
        if missing >= _FLOOR:
            reasons.append("appropriateness.no_referral")
        if head >= 0.5:
            reasons.append("appropriateness.classifier")
        spans = tuple(span for _code, weight, span in hits if weight >= _FLOOR)
        return self.verdict(
            Finding(score, tuple(reasons), spans),
            _rule(score, thresholds),
            model_version=self._scorer.version,
        )


def _recent(context: tuple[str, ...]) -> list[str]:
    return [turn[-_CONTEXT_CHARS:] for turn in context[-_CONTEXT_TURNS:]]


def _rule_hits(folded: Folded, said: str) -> Iterator[tuple[str, float, Span]]:
    for rule in RULES:
        if rule.only_after is not None and not rule.only_after.search(said):
            continue
        for match in rule.pattern.finditer(folded.text):
            before = clause_before(folded.text, match.start())
            hedged = rule.is_hedgeable and HEDGED.search(before)
            weight = rule.weight * (0.35 if hedged else 1.0)
            span = Span(*folded.origin(*match.span()), rule.code.upper())
            yield rule.code, weight, span


def _missing_referral(context: tuple[str, ...], reply: str) -> float:
    """How much it matters that the reply names no help after risk was spoken of."""
    if not context or REFERRAL.search(reply):
        return 0.0
    risk = max(read_signs(turn).strength for turn in _recent(context)[-1:])
    return 0.75 * risk if risk >= _RISK_FLOOR else 0.0


def _combine(
    head: float, weights: list[float], missing: float, folded: Folded
) -> float:
    rules = max(weights, default=0.0)
    further = min(0.15, 0.05 * max(0, len(weights) - 1))
    score = either(0.8 * head, 0.9 * rules, further, 0.6 * missing)
    is_supportive = WARMTH.search(folded.text) or REFERRAL.search(folded.text)
    if not weights and is_supportive and ABOUT_PERSON.search(folded.text):
        score *= 0.85
    return score


def _rule(score: float, thresholds: Thresholds) -> Ruling:
    if score >= thresholds.get("block"):
        return Ruling(Decision.BLOCK, thresholds.get("block"))
    replace = thresholds.get("replace")
    decision = Decision.REPLACE if score >= replace else Decision.ALLOW
    return Ruling(decision, replace)
