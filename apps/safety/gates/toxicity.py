"""Toxicity: is this hateful, harassing, threatening, sexual or insulting?

What a person writes is recorded and never refused: anger is often how distress speaks.
What a model writes is replaced or blocked. The score is the highest of the kinds.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
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
    BOTH_STAGES,
    BaseGate,
    Finding,
    GateKit,
    Ruling,
    either,
)
from apps.safety.gates.lexicons.toxicity_en import DIRECTED, THREATS
from apps.safety.gates.phrases import Hit, book
from apps.safety.gates.text import Folded, fold

KINDS = ("toxic", "hate", "threat", "sexual", "insult", "violence")
_BROAD = frozenset({"toxic", "hate"})
_PHRASES = book((*DIRECTED, *THREATS), {})
_NOT_MEANT = re.compile(
    r"\b(?:not|never|n't|said|says|called me|calls me|calling me|told me|word|quote|"
    r"slur|someone|people (?:who )?(?:say|call))\b[^.!?;\n]{0,40}$"
)
_REASON_FLOOR = 0.5


class ToxicityGate(BaseGate):
    """Records on input; replaces or blocks on output."""

    name: ClassVar[str] = "toxicity"
    version: ClassVar[str] = "1.0.0"
    stages: ClassVar[frozenset[Stage]] = BOTH_STAGES
    thresholds: ClassVar[tuple[str, ...]] = ("replace", "block")
    reasons: ClassVar[tuple[str, ...]] = tuple(f"toxicity.{kind}" for kind in KINDS)

    def __init__(self, kit: GateKit) -> None:
        self._scorer = kit.scorer

    def inspect(self, inspection: Inspection, thresholds: Thresholds) -> Verdict:
        heads = self._scorer.score(
            inspection.text,
            inspection.context,
            KINDS,
            decides=inspection.stage is Stage.OUTPUT,
        )
        folded = fold(inspection.text)
        hits = list(_PHRASES.find(folded.text))
        kinds = _kinds(heads, hits, folded)
        score = max(kinds.values())
        found = Finding(
            score,
            tuple(f"toxicity.{kind}" for kind in KINDS if kinds[kind] >= _REASON_FLOOR),
            tuple(Span(*folded.origin(hit.start, hit.end), hit.sign) for hit in hits),
        )
        ruling = _rule(inspection.stage, score, thresholds)
        return self.verdict(found, ruling, model_version=self._scorer.version)


def _kinds(
    heads: Mapping[str, float], hits: list[Hit], folded: Folded
) -> dict[str, float]:
    """The probability of each kind, with phrases joined in.

    The narrow heads also answer to grief, medicine and fear, so each counts in full
    only as far as the text reads as toxic or hateful at all.
    """
    broad = max(heads["toxic"], heads["hate"])
    kinds = {
        kind: heads[kind] * (1.0 if kind in _BROAD else 0.3 + 0.7 * broad)
        for kind in KINDS
    }
    for hit in hits:
        before = folded.text[max(0, hit.start - 60) : hit.start]
        weight = hit.weight * (0.4 if _NOT_MEANT.search(before) else 1.0)
        kinds[hit.sign] = either(kinds[hit.sign], 0.7 * weight)
    return kinds


def _rule(stage: Stage, score: float, thresholds: Thresholds) -> Ruling:
    if stage is Stage.INPUT:
        return Ruling(Decision.ALLOW, None)
    if score >= thresholds.get("block"):
        return Ruling(Decision.BLOCK, thresholds.get("block"))
    replace = thresholds.get("replace")
    decision = Decision.REPLACE if score >= replace else Decision.ALLOW
    return Ruling(decision, replace)
