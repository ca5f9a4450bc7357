"""The contract battery: what every gate promises, asked of each of the six."""

from __future__ import annotations

import subprocess
import sys

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from apps.safety.contracts import (
    Decision,
    FailureDecision,
    Inspection,
    Stage,
    Thresholds,
)
from apps.safety.gates.appropriateness import AppropriatenessGate
from apps.safety.gates.base import BaseGate
from apps.safety.gates.bias import BiasGate
from apps.safety.gates.crisis import CrisisGate
from apps.safety.gates.privacy import PrivacyGate
from apps.safety.gates.redaction import RedactionGate
from apps.safety.gates.toxicity import ToxicityGate
from apps.safety.pipeline import GateRunner, is_sound
from apps.safety.policy import GATE_ORDER, default_policy
from tests.safety.support import kit

GATES = [
    CrisisGate,
    ToxicityGate,
    PrivacyGate,
    BiasGate,
    AppropriatenessGate,
    RedactionGate,
]
BUILT = [gate(kit()) for gate in GATES]
PAIRS = [(gate, stage) for gate in BUILT for stage in sorted(gate.stages)]
ODD_TEXTS = [
    "",
    " ",
    "\x00",
    "\ud800 lone \udfff",
    "I want to \u200bdie\u0301\u202e",
    "\U0001f622" * 50,
    "\ufb01\u1e9e\u0130" * 40,
    "mañana no quiero vivir",
    "我不想活了",
    "\u202eevil\u202c",
    "a" * 4000,
    "\n" * 4000,
    "@" * 4000,
    "1 " * 2000,
    "((((" * 1000,
    "+1-" * 1300,
    "http://" * 570,
    "my " * 1300,
    "A b " * 1000,
    "Aa " * 1300,
    "i want to die " * 280,
    "not " * 1000,
    "password: " * 400,
    "eyJ" * 1300,
]


def thresholds(gate: BaseGate, stage: Stage) -> Thresholds:
    return default_policy().thresholds(gate.name, stage)


def test_the_battery_covers_the_six_in_policy_order() -> None:
    assert tuple(gate.name for gate in GATES) == GATE_ORDER


@pytest.mark.parametrize("gate", BUILT, ids=lambda gate: gate.name)
def test_gate_declares_everything(gate: BaseGate) -> None:
    assert gate.version
    assert gate.stages <= set(Stage)
    assert gate.languages
    assert 0 < gate.deadline_ms <= 1000
    assert isinstance(gate.on_failure, FailureDecision)
    assert all(reason.startswith(f"{gate.name}.") for reason in gate.reasons)


def test_crisis_failure_escalates_and_the_rest_block() -> None:
    on_failure = {gate.name: gate.on_failure for gate in GATES}

    assert on_failure.pop("crisis") is FailureDecision.ESCALATE
    assert set(on_failure.values()) == {FailureDecision.BLOCK}


@pytest.mark.parametrize("text", ODD_TEXTS, ids=range(len(ODD_TEXTS)))
@pytest.mark.parametrize(("gate", "stage"), PAIRS, ids=lambda v: getattr(v, "name", v))
def test_any_text_gets_a_sound_verdict(gate: BaseGate, stage: Stage, text: str) -> None:
    verdict = gate.inspect(
        Inspection(text, stage, context=(text[:50],)), thresholds(gate, stage)
    )

    assert is_sound(verdict, gate, len(text))


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(text=st.text(st.characters(), max_size=300))
def test_generated_text_gets_the_same_sound_verdict_twice(text: str) -> None:
    for gate, stage in PAIRS:
        inspection = Inspection(text, stage)
        first = gate.inspect(inspection, thresholds(gate, stage))
        second = gate.inspect(inspection, thresholds(gate, stage))

        assert is_sound(first, gate, len(text))
        assert first == second


@pytest.mark.parametrize(("gate", "stage"), PAIRS, ids=lambda v: getattr(v, "name", v))
def test_verdict_carries_no_text(gate: BaseGate, stage: Stage) -> None:
    text = "I'm Marisol Quintero, marisol@example.org, I want to die, you idiot"

    verdict = gate.inspect(Inspection(text, stage), thresholds(gate, stage))

    assert "marisol" not in repr(verdict).lower()


# Toxicity only records what a person says, so it has no threshold to miss there.
DECIDING = [
    (gate, stage)
    for gate, stage in PAIRS
    if (gate.name, stage) != ("toxicity", Stage.INPUT)
]


@pytest.mark.parametrize(
    ("gate", "stage"), DECIDING, ids=lambda v: getattr(v, "name", v)
)
def test_a_missing_threshold_fails_closed(gate: BaseGate, stage: Stage) -> None:
    others = [other for other in BUILT if other.name != gate.name]
    policy = default_policy()
    runner = GateRunner([gate, *others], policy)
    broken = dict(policy._thresholds)
    broken[(gate.name, stage.value)] = Thresholds({})
    runner.policy = type(policy)(
        policy.name,
        policy.version,
        policy.digest,
        policy.gate_order,
        policy.acknowledge_minutes,
        broken,
        policy._texts,
        policy._contacts,
    )

    verdict = runner.ask(gate, Inspection("hello there", stage))

    assert verdict.failed
    assert verdict.decision == Decision(gate.on_failure.value)


def test_importing_the_gates_loads_no_tensor_library_nor_django() -> None:
    code = (
        "import sys\n"
        "from apps.safety.gates import (appropriateness, bias, crisis, privacy,"
        " redaction, toxicity)\n"
        "from apps.safety.gates.identifiers.second_opinion import second_opinion\n"
        "heavy = {'torch', 'transformers', 'spacy', 'django'}\n"
        "assert not heavy & set(sys.modules), heavy & set(sys.modules)\n"
        "second_opinion()\n"
        "assert 'torch' not in sys.modules\n"
    )

    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False
    )

    assert done.returncode == 0, done.stderr
