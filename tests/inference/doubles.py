"""Stand-ins for gates and models, to reach outcomes that real ones never show.

Each says what it was given, so that a test can tell which text went where. Journeys
with the real gates, policy and model are in test_journey.py.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date

from apps.inference.contracts import (
    INPUT_GATES,
    OUTPUT_GATES,
    FixedReply,
    FixedText,
    Inspected,
    OpenedEscalation,
    PolicyFacts,
    Routed,
    RouteQuestion,
    ServingRequest,
)
from apps.models_registry.contracts import Prediction, ServableVersion, TextRequest
from apps.safety.contracts import Decision, RiskLevel, Stage, Verdict
from apps.safety.policy import Contact

MODEL_WORDS = "These words were written by the model."
MASKED_WORDS = "These words were written by the [MASKED]."
POLICY = PolicyFacts("test", "1", "sha256:policy")


def verdict(gate: str, decision: Decision = Decision.ALLOW, **more) -> Verdict:
    given = {"score": 0.1, "threshold": 0.5, "risk": RiskLevel.NONE, **more}
    return Verdict(gate=gate, gate_version="1.0", decision=decision, **given)


def inspected(stage: Stage, decision: Decision, text: str, gates=None) -> Inspected:
    wanted = INPUT_GATES if stage is Stage.INPUT else OUTPUT_GATES
    verdicts = [verdict(name) for name in sorted(gates or wanted)]
    verdicts[0] = verdict(verdicts[0].gate, decision)
    return Inspected(stage, decision, tuple(verdicts), text)


@dataclass
class GuardDouble:
    """Gives the decisions it was told to give."""

    on_input: Decision = Decision.ALLOW
    on_output: Decision = Decision.ALLOW
    on_sweep: Decision = Decision.ALLOW
    policy: PolicyFacts | None = POLICY
    output_gates: frozenset[str] = OUTPUT_GATES
    input_gates: frozenset[str] = INPUT_GATES
    seen: list[str] = field(default_factory=list)
    swept: list[str] = field(default_factory=list)

    def inspect_input(self, request: ServingRequest) -> Inspected:
        self.seen.append(request.text)
        masked = self.on_input is Decision.MASK
        text = "masked input" if masked else request.text
        return inspected(Stage.INPUT, self.on_input, text, self.input_gates)

    def inspect_output(self, request: ServingRequest, reply: str) -> Inspected:
        masked = self.on_output is Decision.MASK
        text = MASKED_WORDS if masked else reply
        return inspected(Stage.OUTPUT, self.on_output, text, self.output_gates)

    def masked_context(self, request: ServingRequest) -> tuple[str, ...]:
        return request.context

    def sweep(self, texts: Sequence[str], locale: str) -> tuple[Verdict, ...]:
        self.swept.extend(texts)
        return tuple(verdict("redaction", self.on_sweep) for _ in texts)


@dataclass
class PartsDouble:
    """One approved version that answers with MODEL_WORDS unless told otherwise."""

    guarding: GuardDouble = field(default_factory=GuardDouble)
    state: str = "approved"
    approval_id: str = "a1"
    route_error: Exception | None = None
    predict_error: Exception | None = None
    escalate_error: Exception | None = None
    predicting: object = None
    asked: list[TextRequest] = field(default_factory=list)
    escalated: list[Inspected] = field(default_factory=list)

    def guard(self) -> GuardDouble:
        return self.guarding

    def route(self, question: RouteQuestion) -> Routed:
        if self.route_error:
            raise self.route_error
        version = ServableVersion(
            id="1",
            model_name=question.model_name,
            number=3,
            state=self.state,
            digest="sha256:version",
            adapter="onnx",
            artifacts={},
            signature={},
        )
        return Routed(version, "alias production", self.approval_id)

    def predict(
        self, version: ServableVersion, asked: TextRequest, deadline_ms: float
    ) -> Prediction:
        self.asked.append(asked)
        if self.predicting:
            self.predicting()
        if self.predict_error:
            raise self.predict_error
        return Prediction(MODEL_WORDS, {"label": 1.0}, "r1", version.digest, 0.1)

    def answer_locale(self, request: ServingRequest) -> str:
        return request.locale

    def fixed(self, kind: FixedText, locale: str) -> FixedReply:
        return FixedReply(
            f"fixed {kind.value} {locale}",
            (Contact("Line", "Call 116 123", "", date(2026, 11, 1)),),
        )

    def notice(self, request: ServingRequest) -> str:
        return ""

    def escalate(self, request: ServingRequest, found: Inspected) -> OpenedEscalation:
        if self.escalate_error:
            raise self.escalate_error
        self.escalated.append(found)
        return OpenedEscalation(str(uuid.uuid4()), "high")


def asking(text: str = "I slept badly again.", **more) -> ServingRequest:
    return ServingRequest(id=uuid.uuid4(), model_name="support", text=text, **more)
