"""The gates under one policy, as the gateway asks them.

A thin layer over apps.safety.pipeline: it turns requests into inspections and results
into ``Inspected``. The runner turns failures into verdicts, and the policy's rules may
make the decision stricter; nothing is decided here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from apps.inference.contracts import Inspected, PolicyFacts, ServingRequest
from apps.safety.contracts import Inspection, Stage, Verdict
from apps.safety.masking import mask
from apps.safety.pipeline import GateRunner, StageResult
from apps.safety.streaming import Ending, Frame, Limits, OutputStream

SWEEPS_KEPT = 2048


class RuledRunner(GateRunner):
    """A policy's gates whose answer its rules have made stricter, for streams."""

    def run(self, inspection: Inspection) -> StageResult:
        result = super().run(inspection)
        decision, _ = self.policy.rules.applied(result)
        return replace(result, decision=decision)


class PolicyGuard:
    """``is_in_force`` is False for the shipped policy that stands in for none."""

    def __init__(self, runner: GateRunner, *, is_in_force: bool) -> None:
        self._runner = runner
        self._gates = {gate.name: gate for gate in runner.gates}
        self._swept: dict[tuple[str, str], Verdict] = {}
        policy = runner.policy
        self.policy: PolicyFacts | None = None
        if is_in_force:
            self.policy = PolicyFacts(policy.name, str(policy.version), policy.digest)

    def inspect_input(self, request: ServingRequest) -> Inspected:
        return self._run(request.text, Stage.INPUT, request.locale, request.context)

    def inspect_output(self, request: ServingRequest, reply: str) -> Inspected:
        return self._run(reply, Stage.OUTPUT, request.locale, _before(request))

    def stream(self, request: ServingRequest, deadline_ms: float) -> OutputStream:
        """Releases the reply to this request, under the policy's rules too."""
        runner = RuledRunner(self._runner.gates, self._runner.policy)
        frame = Frame(request.locale, _before(request))
        return OutputStream(runner, frame, Limits(deadline_ms=deadline_ms))

    def concluded(self, ending: Ending, original: str) -> Inspected:
        """The stricter of the pass over the whole text and what stopped the stream."""
        result, stop = ending.whole, ending.stop
        if stop and stop.result and stop.result.decision > result.decision:
            result = stop.result
        return Inspected(
            stage=Stage.OUTPUT,
            decision=ending.decision,
            verdicts=result.verdicts,
            text=result.masked_text,
            risk=result.risk,
            original=original,
            rules=self._runner.policy.rules.applied(result)[1],
        )

    def _run(
        self, text: str, stage: Stage, locale: str, context: tuple[str, ...]
    ) -> Inspected:
        result = self._runner.run(Inspection(text, stage, locale, context))
        decision, rules = self._runner.policy.rules.applied(result)
        return Inspected(
            stage=stage,
            decision=decision,
            verdicts=result.verdicts,
            text=result.masked_text,
            risk=result.risk,
            original=text,
            rules=rules,
        )

    def masked_context(self, request: ServingRequest) -> tuple[str, ...]:
        """Earlier turns with identifiers masked; a turn that cannot be is left out."""
        masked = []
        for turn in request.context:
            inspection = Inspection(turn, Stage.INPUT, request.locale)
            verdict = self._runner.ask(self._gates["privacy"], inspection)
            if not verdict.failed:
                masked.append(mask(turn, verdict.spans))
        return tuple(masked)

    def sweep(self, texts: Sequence[str], locale: str) -> tuple[Verdict, ...]:
        """The redaction gate's verdict on each text; short ones are remembered."""
        return tuple(self._sweep(text, locale) for text in texts)

    def _sweep(self, text: str, locale: str) -> Verdict:
        known = self._swept.get((text, locale))
        if known is not None:
            return known
        inspection = Inspection(text, Stage.OUTPUT, locale)
        verdict = self._runner.ask(self._gates["redaction"], inspection)
        # Labels come again with every reply. A failure may pass; it is not kept.
        if len(text) <= 64 and not verdict.failed and len(self._swept) < SWEEPS_KEPT:
            self._swept[(text, locale)] = verdict
        return verdict


def _before(request: ServingRequest) -> tuple[str, ...]:
    """The conversation that a reply belongs to, oldest first."""
    return (*request.context, request.text)
