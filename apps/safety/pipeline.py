"""Runs the gates over one text and draws one answer: the only place gates are called.

Every gate of a stage sees the original text; none is skipped because another has
blocked. Whatever goes wrong in a gate becomes its ``on_failure``: there is no path here
on which a missing answer becomes a pass.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from apps.safety.contracts import (
    Decision,
    Gate,
    Inspection,
    RiskLevel,
    Span,
    Stage,
    Verdict,
    strictest,
)
from apps.safety.errors import GatesUnavailable
from apps.safety.languages.answering import LANGUAGE
from apps.safety.languages.identify import ENGLISH, languages_of
from apps.safety.masking import WITHHELD, mask
from apps.safety.policy import Policy
from apps.safety.windows import windows

_LEVELS = tuple(RiskLevel)
_MASKING = frozenset({"privacy", "redaction"})

FAILED = "failed"
LATE = "deadline_exceeded"
UNPARSEABLE = "verdict_unparseable"


@dataclass(frozen=True, slots=True)
class StageResult:
    """The strictest decision, every verdict, and the text with identifiers hidden.

    ``masked_text`` is ``[WITHHELD]`` when a gate that masks gave no answer. ``risk`` is
    the crisis gate's grade; HIGH when that gate failed.
    """

    stage: Stage
    decision: Decision
    verdicts: tuple[Verdict, ...]
    masked_text: str
    risk: RiskLevel

    def verdict(self, gate: str) -> Verdict:
        """The verdict of a gate by name; KeyError if it did not run."""
        for verdict in self.verdicts:
            if verdict.gate == gate:
                return verdict
        raise KeyError(gate)

    @property
    def escalates(self) -> bool:
        return self.decision is Decision.ESCALATE


class GateRunner:
    """The gates of a policy, in its order."""

    def __init__(self, gates: Sequence[Gate], policy: Policy) -> None:
        by_name = {gate.name: gate for gate in gates}
        missing = [name for name in policy.gate_order if name not in by_name]
        if missing or len(by_name) != len(gates):
            raise GatesUnavailable(
                "The policy needs each of its gates exactly once; missing: "
                + (", ".join(missing) or "none, but one is given twice")
            )
        self.policy = policy
        self.gates = tuple(by_name[name] for name in policy.gate_order)

    def run(self, inspection: Inspection) -> StageResult:
        """Every gate of the inspection's stage over the whole original text."""
        verdicts = tuple(
            self.ask(gate, inspection)
            for gate in self.gates
            if inspection.stage in gate.stages
        )
        return conclude(inspection, verdicts)

    def ask(self, gate: Gate, inspection: Inspection) -> Verdict:
        """One gate's verdict over all windows of the text; never raises."""
        started = time.perf_counter()
        try:
            verdict = self._inspect(gate, inspection)
        except Exception:  # noqa: BLE001 - the gate runner: it becomes the failure verdict
            return _failure(gate, FAILED, _elapsed_ms(started))
        elapsed_ms = _elapsed_ms(started)
        pieces = max(1, len(inspection.text) // 3000)
        allowed_ms = min(gate.deadline_ms, inspection.deadline_ms) * pieces
        if elapsed_ms > allowed_ms:
            return _failure(gate, LATE, elapsed_ms)
        if not is_language_supported(gate, inspection):
            return _unsupported(gate, verdict, elapsed_ms)
        return replace(verdict, elapsed_ms=elapsed_ms)

    def _inspect(self, gate: Gate, inspection: Inspection) -> Verdict:
        thresholds = self.policy.thresholds(gate.name, inspection.stage)
        found: list[Verdict] = []
        for offset, piece in windows(inspection.text):
            verdict = gate.inspect(replace(inspection, text=piece), thresholds)
            if not is_sound(verdict, gate, len(piece)):
                return _failure(gate, UNPARSEABLE, 0.0)
            found.append(_shifted(verdict, offset) if offset else verdict)
        return found[0] if len(found) == 1 else _joined(found)


def is_language_supported(gate: Gate, inspection: Inspection) -> bool:
    """Whether the gate was made for the locale's language and for the text's own.

    Text that is too short or too mixed to tell counts as the locale's.
    """
    language = inspection.locale.replace("_", "-").partition("-")[0].lower()
    spoken = languages_of(inspection.text) - {ENGLISH}
    return language in gate.languages and spoken <= gate.languages


def is_sound(verdict: object, gate: Gate, length: int) -> bool:
    """Whether what a gate returned can be read as its verdict at all."""
    if not isinstance(verdict, Verdict) or verdict.gate != gate.name:
        return False
    if not isinstance(verdict.decision, Decision):
        return False
    score_ok = isinstance(verdict.score, float | int) and 0.0 <= verdict.score <= 1.0
    spans_ok = all(0 <= span.start <= span.end <= length for span in verdict.spans)
    return score_ok and spans_ok and set(verdict.reasons) <= set(gate.reasons)


def conclude(inspection: Inspection, verdicts: tuple[Verdict, ...]) -> StageResult:
    """The stage's answer from its verdicts; BLOCK when there are none."""
    return StageResult(
        stage=inspection.stage,
        decision=strictest(verdicts),
        verdicts=verdicts,
        masked_text=masked_text(inspection.text, verdicts),
        risk=_risk(verdicts),
    )


def masked_text(text: str, verdicts: Iterable[Verdict]) -> str:
    """The text with the spans of the masking gates hidden."""
    masking = [verdict for verdict in verdicts if verdict.gate in _MASKING]
    if any(verdict.failed and verdict.score is None for verdict in masking):
        return WITHHELD
    return mask(text, hidden_spans(masking))


def hidden_spans(verdicts: Iterable[Verdict]) -> list[Span]:
    """What the masking gates want hidden; may overlap."""
    return [
        span
        for verdict in verdicts
        if verdict.gate in _MASKING
        for span in verdict.spans
    ]


def _risk(verdicts: Iterable[Verdict]) -> RiskLevel:
    crisis = [verdict for verdict in verdicts if verdict.gate == "crisis"]
    levels = [
        verdict.risk or (RiskLevel.HIGH if verdict.failed else RiskLevel.NONE)
        for verdict in crisis
    ]
    return max(levels, key=_LEVELS.index, default=RiskLevel.HIGH)


def _elapsed_ms(started: float) -> float:
    return round((time.perf_counter() - started) * 1000, 3)


def _failure(gate: Gate, reason: str, elapsed_ms: float) -> Verdict:
    return Verdict(
        gate=gate.name,
        gate_version=gate.version,
        decision=Decision(gate.on_failure.value),
        score=None,
        threshold=None,
        reasons=(f"{gate.name}.{reason}",),
        elapsed_ms=elapsed_ms,
        failed=True,
    )


def _unsupported(gate: Gate, verdict: Verdict, elapsed_ms: float) -> Verdict:
    """The gate's failure decision; its score and spans are kept as evidence."""
    return replace(
        verdict,
        decision=max(verdict.decision, Decision(gate.on_failure.value)),
        reasons=(*verdict.reasons, f"{gate.name}.{LANGUAGE}"),
        elapsed_ms=elapsed_ms,
        failed=True,
    )


def _shifted(verdict: Verdict, offset: int) -> Verdict:
    spans = tuple(
        Span(span.start + offset, span.end + offset, span.type)
        for span in verdict.spans
    )
    return replace(verdict, spans=spans)


def _joined(found: Sequence[Verdict]) -> Verdict:
    """One verdict for all windows: the strictest, with everything that was found."""
    worst = max(found, key=lambda verdict: (verdict.decision, verdict.score or 0.0))
    spans = {span for verdict in found for span in verdict.spans}
    levels = [verdict.risk for verdict in found if verdict.risk is not None]
    return replace(
        worst,
        score=max(verdict.score or 0.0 for verdict in found),
        reasons=tuple(
            dict.fromkeys(reason for verdict in found for reason in verdict.reasons)
        ),
        spans=tuple(sorted(spans, key=lambda span: (span.start, span.end, span.type))),
        risk=max(levels, key=_LEVELS.index) if levels else None,
    )
