"""Crisis: does this show risk of suicide, self-harm, harm to others or abuse?

The first gate, on both stages, over the conversation so far. It joins signs read from
phrases with the classifier's probabilities into one score and grades it. Levels use
the words of the C-SSRS as a screening signal; they are not a C-SSRS assessment, which
only a trained person can make. Disclosing risk is never treated as a violation: the
answer is a person, not a refusal. It must never pass when it cannot tell.
"""

from __future__ import annotations

import math
from typing import ClassVar

from apps.safety.contracts import (
    Decision,
    FailureDecision,
    Inspection,
    RiskLevel,
    Span,
    Stage,
    Thresholds,
    Verdict,
)
from apps.safety.gates.base import (
    BOTH_STAGES,
    BaseGate,
    Finding,
    GateKit,
    Ruling,
    either,
)
from apps.safety.gates.crisis_signs import Signs, read_signs
from apps.safety.gates.lexicons import crisis_cues as cues
from apps.safety.gates.text import fold

LEVELS = (
    RiskLevel.NONE,
    RiskLevel.LOW,
    RiskLevel.MODERATE,
    RiskLevel.HIGH,
    RiskLevel.IMMINENT,
)
HEADS = ("crisis", "crisis_high")
_SIGN_KINDS = (
    "active_ideation", "passive_ideation", "plan", "means", "behaviour", "attempt",
    "harm_to_others", "abuse", "burden", "distress", "mention", "other_language",
)  # fmt: skip
# How much an earlier turn still says, from the latest turn backwards.
_TURN_WEIGHTS = (0.45, 0.35, 0.25, 0.2, 0.15, 0.1)
_CONTEXT_CHARS = 2000
_REASON_FLOOR = 0.15
_PHRASE_WEIGHT, _BIAS, _IDIOM_WEIGHT, _PLAIN_RISK = 4.0, 0.8, 2.0, 0.55
_HIGH_HEAD = 0.6


class CrisisGate(BaseGate):
    """Grades risk and escalates from the policy's threshold on."""

    name: ClassVar[str] = "crisis"
    version: ClassVar[str] = "1.1.0"
    stages: ClassVar[frozenset[Stage]] = BOTH_STAGES
    on_failure: ClassVar[FailureDecision] = FailureDecision.ESCALATE
    thresholds: ClassVar[tuple[str, ...]] = (
        "low",
        "moderate",
        "high",
        "imminent",
        "escalate",
    )
    reasons: ClassVar[tuple[str, ...]] = (
        *(f"crisis.{kind}" for kind in _SIGN_KINDS),
        "crisis.classifier",
        "crisis.conversation",
        "crisis.urgent",
        "crisis.urging",
    )

    def __init__(self, kit: GateKit) -> None:
        self._scorer = kit.scorer

    def inspect(self, inspection: Inspection, thresholds: Thresholds) -> Verdict:
        signs = read_signs(inspection.text)
        heads = self._scorer.score(inspection.text, inspection.context, HEADS)
        if inspection.stage is Stage.OUTPUT:
            found = self._judge_reply(inspection.text, signs, heads["crisis"])
        else:
            found = self._judge_person(inspection, signs, dict(heads))
        risk = graded(level_of(found.score, thresholds), signs, heads["crisis_high"])
        threshold = thresholds.get("escalate")
        escalates = found.score >= threshold
        decision = Decision.ESCALATE if escalates else Decision.ALLOW
        return self.verdict(
            Finding(found.score, found.reasons, found.spans, risk),
            Ruling(decision, threshold),
            model_version=self._scorer.version,
        )

    def _judge_person(
        self, inspection: Inspection, signs: Signs, heads: dict[str, float]
    ) -> Finding:
        score = combine(signs, heads["crisis"], heads["crisis_high"])
        earlier = conversation_strength(inspection.context)
        score = either(score, earlier * (0.5 + 0.5 * score))
        reasons = [f"crisis.{kind}" for kind in signs.kinds(_REASON_FLOOR)]
        if heads["crisis"] >= 0.5:
            reasons.append("crisis.classifier")
        if earlier >= 0.2:
            reasons.append("crisis.conversation")
        if signs.is_imminent:
            reasons.append("crisis.urgent")
        return Finding(score, tuple(reasons), spans_of(signs))

    def _judge_reply(self, text: str, signs: Signs, head: float) -> Finding:
        """A reply shows risk when it urges harm or speaks of risk as its own.

        Naming suicide while pointing to help is what a supportive reply does.
        """
        folded = fold(text).text
        reasons = [f"crisis.{kind}" for kind in signs.kinds(_REASON_FLOOR)]
        if cues.URGING.search(folded):
            return Finding(0.97, ("crisis.urging", *reasons), spans_of(signs))
        own = [sign for sign in signs.found if "other_person" not in sign.softeners]
        score = either(0.6 * Signs(tuple(own)).strength, 0.4 * head)
        if cues.SUPPORTIVE.search(folded):
            score *= 0.4
        return Finding(score, tuple(reasons), spans_of(signs))


def combine(signs: Signs, head: float, head_high: float) -> float:
    """One score from phrases and classifier; monotone in each of them.

    The classifier's log-odds are moved by the phrases. A plain phrase of risk escalates
    whatever the classifier says, and an idiom alone takes much of its score away; the
    constants were chosen on the development rows described in docs/gates/crisis.md.
    """
    log_odds = _logit(head) + _PHRASE_WEIGHT * signs.strength - _BIAS
    if signs.is_only_softened:
        return _sigmoid(log_odds - _IDIOM_WEIGHT)
    score = _sigmoid(log_odds)
    if signs.strength >= _PLAIN_RISK:
        score = max(score, 0.25 + 0.45 * signs.strength)
    if signs.is_imminent:
        score = max(score, 0.93 + 0.06 * max(head, head_high))
    return score


def graded(level: RiskLevel, signs: Signs, head_high: float) -> RiskLevel:
    """The level that the evidence supports, whatever the score.

    High means intent or plan, imminent means now (C-SSRS vocabulary): a score alone,
    without a phrase that says so, supports no more than the classifier's own head of
    high risk does. The decision to escalate is not touched by this.
    """
    if level is RiskLevel.IMMINENT and not signs.is_imminent:
        level = RiskLevel.HIGH
    has_evidence = signs.strength >= _PLAIN_RISK or head_high >= _HIGH_HEAD
    if level is RiskLevel.HIGH and not has_evidence:
        return RiskLevel.MODERATE
    return level


def _logit(probability: float) -> float:
    held = min(max(probability, 1e-4), 1.0 - 1e-4)
    return math.log(held / (1.0 - held))


def _sigmoid(log_odds: float) -> float:
    return 1.0 / (1.0 + math.exp(-log_odds))


def conversation_strength(context: tuple[str, ...]) -> float:
    """What earlier turns still say about risk; the latest counts most."""
    recent = list(reversed(context))[: len(_TURN_WEIGHTS)]
    return max(
        (
            weight * _plain_strength(turn[-_CONTEXT_CHARS:])
            for weight, turn in zip(_TURN_WEIGHTS, recent, strict=False)
        ),
        default=0.0,
    )


def _plain_strength(turn: str) -> float:
    signs = read_signs(turn)
    if cues.SUPPORTIVE.search(fold(turn).text) and not signs.is_imminent:
        return 0.5 * signs.strength
    return signs.strength


def level_of(score: float, thresholds: Thresholds) -> RiskLevel:
    """The highest level whose cut point the score reaches."""
    reached = RiskLevel.NONE
    for level in LEVELS[1:]:
        if score >= thresholds.get(level.value):
            reached = level
    return reached


def spans_of(signs: Signs) -> tuple[Span, ...]:
    return tuple(sign.span for sign in signs.found if sign.strength >= _REASON_FLOOR)
