"""The gates of a policy, with its judges beside them.

The gates decide first and alone; then each judge may make one of their verdicts
stricter, never looser, and scores that lie far apart are handed on to be reviewed.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import partial

from apps.safety.cases import text_digest
from apps.safety.contracts import (
    Decision,
    Gate,
    Inspection,
    RiskLevel,
    Span,
    Verdict,
)
from apps.safety.judges.background import Background
from apps.safety.judges.contracts import Disagreement, Judge, JudgeFailed, Judgement
from apps.safety.judges.counting import JUDGE_FAILURES
from apps.safety.judges.rules import JudgeRule, OnFailure, Role
from apps.safety.masking import WITHHELD
from apps.safety.pipeline import GateRunner, StageResult, conclude
from apps.safety.policy import Policy

logger = logging.getLogger(__name__)

Sink = Callable[[Sequence[Disagreement]], None]
JUDGED = "judge"
JUDGE_FAILED = "judge_failed"
_LEVELS = tuple(RiskLevel)


@dataclass(frozen=True, slots=True)
class Seat:
    """A judge and what the policy makes of it."""

    judge: Judge
    rule: JudgeRule


class JudgedRunner(GateRunner):
    """A GateRunner whose result is the stricter of its gates' and its judges'.

    ``sink`` takes disagreements; ``background`` runs judges that are only recorded.
    """

    def __init__(
        self,
        gates: Sequence[Gate],
        policy: Policy,
        seats: Sequence[Seat],
        *,
        sink: Sink,
        background: Background,
    ) -> None:
        super().__init__(gates, policy)
        self._seats = tuple(seats)
        self._sink = sink
        self._background = background

    def run(self, inspection: Inspection) -> StageResult:
        result = super().run(inspection)
        decided = result
        for seat in self._seats:
            if seat.rule.role is Role.STRICTER:
                decided = self._stricter(seat, inspection, decided)
            else:
                self._background.submit(
                    partial(self._compare, seat, inspection, result)
                )
        return decided

    def _stricter(
        self, seat: Seat, inspection: Inspection, result: StageResult
    ) -> StageResult:
        try:
            judgement = self._asked(seat, inspection, result)
        except JudgeFailed:
            if seat.rule.on_failure is OnFailure.NOTE:
                return result
            return conclude(inspection, tuple(self._failed(seat, result.verdicts)))
        self._hand_on(seat, inspection, result, judgement)
        verdicts = tuple(
            _applied(seat, verdict, judgement) for verdict in result.verdicts
        )
        return conclude(inspection, verdicts)

    def _compare(self, seat: Seat, inspection: Inspection, result: StageResult) -> None:
        try:
            judgement = self._asked(seat, inspection, result)
        except JudgeFailed:
            return
        self._hand_on(seat, inspection, result, judgement)

    def _asked(
        self, seat: Seat, inspection: Inspection, result: StageResult
    ) -> Judgement:
        """Raises JudgeFailed for whatever goes wrong in a judge."""
        if seat.judge.reads_masked:
            # Earlier turns are not masked here, so none of them leaves.
            inspection = replace(inspection, text=result.masked_text, context=())
        code = "failed"
        try:
            if inspection.text == WITHHELD and seat.judge.reads_masked:
                raise JudgeFailed("text_withheld")
            found = seat.judge.judge(inspection)
            if _is_sound(found, len(inspection.text)):
                return found
            code = "answer_unparseable"
        except JudgeFailed as error:
            code = error.code
        except Exception as error:  # noqa: BLE001 - a gate runner: a failed judge
            code = type(error).__name__
        JUDGE_FAILURES.labels(judge=seat.rule.judge).inc()
        logger.warning("A judge failed", extra={"judge": seat.rule.judge, "code": code})
        raise JudgeFailed(code)

    def _failed(self, seat: Seat, verdicts: Iterable[Verdict]) -> Iterable[Verdict]:
        on_failure = {gate.name: gate.on_failure.value for gate in self.gates}
        for verdict in verdicts:
            if verdict.gate not in seat.rule.cuts:
                yield verdict
                continue
            least = Decision(on_failure[verdict.gate])
            yield _at_least(verdict, least, JUDGE_FAILED)

    def _hand_on(
        self,
        seat: Seat,
        inspection: Inspection,
        result: StageResult,
        judgement: Judgement,
    ) -> None:
        found = [
            _disagreement(self.policy, seat, inspection, verdict, score)
            for verdict in result.verdicts
            if verdict.gate in seat.rule.cuts and verdict.score is not None
            for score in [judgement.scores.get(verdict.gate)]
            if score is not None and abs(score - verdict.score) >= seat.rule.apart
        ]
        if found:
            self._sink(found)


def _is_sound(found: Judgement, length: int) -> bool:
    return all(0.0 <= score <= 1.0 for score in found.scores.values()) and all(
        0 <= span.start <= span.end <= length for span in found.spans
    )


def _applied(seat: Seat, verdict: Verdict, judgement: Judgement) -> Verdict:
    cut = seat.rule.cuts.get(verdict.gate)
    score = judgement.scores.get(verdict.gate)
    if cut is None or score is None or score < cut.at:
        return verdict
    if cut.decision is not Decision.MASK:
        return _at_least(verdict, cut.decision, JUDGED)
    if not judgement.spans:
        # What nobody can point at cannot be hidden.
        return _at_least(verdict, Decision.BLOCK, JUDGED)
    spans = _spans(verdict.spans, judgement.spans)
    return replace(_at_least(verdict, Decision.MASK, JUDGED), spans=spans)


def _spans(own: Iterable[Span], more: Iterable[Span]) -> tuple[Span, ...]:
    found = {*own, *more}
    return tuple(sorted(found, key=lambda span: (span.start, span.end, span.type)))


def _at_least(verdict: Verdict, decision: Decision, reason: str) -> Verdict:
    """The verdict made stricter; a crisis that a judge saw is graded as one."""
    risk = verdict.risk
    if verdict.gate == "crisis" and decision is Decision.ESCALATE:
        least = RiskLevel.HIGH if reason == JUDGE_FAILED else RiskLevel.MODERATE
        risk = max(risk or least, least, key=_LEVELS.index)
    return replace(
        verdict,
        decision=max(verdict.decision, decision),
        reasons=(*verdict.reasons, f"{verdict.gate}.{reason}"),
        risk=risk,
    )


def _disagreement(
    policy: Policy, seat: Seat, inspection: Inspection, verdict: Verdict, score: float
) -> Disagreement:
    return Disagreement(
        gate=verdict.gate,
        judge=seat.rule.judge,
        judge_version=seat.judge.version,
        stage=inspection.stage,
        locale=inspection.locale,
        gate_decision=verdict.decision,
        gate_score=verdict.score or 0.0,
        judge_score=score,
        text_digest=text_digest(inspection.text),
        policy_digest=policy.digest,
    )
