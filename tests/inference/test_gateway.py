"""The one path: which outcome follows from what, and whose words leave."""

from __future__ import annotations

import ast
import itertools
import time
from pathlib import Path

import pytest
from django.db import OperationalError

from apps.inference.contracts import Outcome, Source
from apps.inference.errors import NothingServed, UnknownModel
from apps.inference.gateway import decide
from apps.models_registry.errors import PredictionFailed
from apps.safety.contracts import Decision
from tests.inference.doubles import (
    MASKED_WORDS,
    MODEL_WORDS,
    GuardDouble,
    PartsDouble,
    asking,
)

ERRORS = {
    "none": None,
    "prediction failed": PredictionFailed("broken"),
}
ROUTES = {
    "none": None,
    "unknown": UnknownModel("none"),
    "nothing served": NothingServed("none"),
}


def decided(parts: PartsDouble, **more):
    return decide(request=asking(**more), caller_id="key-1", parts=parts)


COMBINATIONS = list(
    itertools.product(
        Decision,
        Decision,
        Decision,
        ROUTES,
        ERRORS,
        (True, False),
        ("approved", "draft"),
    )
)


def _may_be_model(on_input, on_output, on_sweep, route, error, has_policy, state):
    passing = {Decision.ALLOW, Decision.MASK}
    return (
        on_input in passing
        and on_output in passing
        and on_sweep is Decision.ALLOW
        and ROUTES[route] is None
        and ERRORS[error] is None
        and has_policy
        and state == "approved"
    )


def test_model_words_leave_only_when_every_step_let_them():
    """Every combination of what gates, router, model and policy may do."""
    for combination in COMBINATIONS:
        on_input, on_output, on_sweep, route, error, has_policy, state = combination
        guard = GuardDouble(on_input, on_output, on_sweep)
        guard.policy = guard.policy if has_policy else None
        parts = PartsDouble(
            guard, state, route_error=ROUTES[route], predict_error=ERRORS[error]
        )

        answer = decided(parts)

        is_model = answer.reply.source is Source.MODEL
        assert is_model == _may_be_model(*combination), combination
        if is_model:
            masked = on_output is Decision.MASK
            assert answer.reply.text == (MASKED_WORDS if masked else MODEL_WORDS)
        else:
            assert MODEL_WORDS not in answer.reply.text
            assert answer.reply.text.startswith("fixed ")
            assert not answer.reply.labels
            assert answer.reply.contacts
        if on_input is Decision.ESCALATE:
            assert answer.outcome is Outcome.ESCALATE
            assert answer.escalation is not None


@pytest.mark.parametrize("decision", list(Decision))
def test_every_input_is_inspected_as_it_was_written(decision):
    guard = GuardDouble(on_input=decision)

    decided(PartsDouble(guard), text="the original text")

    assert guard.seen == ["the original text"]


def test_a_masked_input_reaches_the_model_masked():
    parts = PartsDouble(GuardDouble(on_input=Decision.MASK))

    answer = decided(parts)

    assert [asked.text for asked in parts.asked] == ["masked input"]
    assert answer.outcome is Outcome.MASK


def test_the_stricter_stage_names_the_outcome():
    parts = PartsDouble(GuardDouble(on_input=Decision.MASK))

    assert decided(parts).outcome is Outcome.MASK
    assert decided(PartsDouble()).outcome is Outcome.ALLOW


@pytest.mark.parametrize("decision", [Decision.BLOCK, Decision.REPLACE])
def test_a_blocked_input_never_reaches_the_model(decision):
    parts = PartsDouble(GuardDouble(on_input=decision))

    answer = decided(parts)

    assert parts.asked == []
    assert answer.outcome.value == decision.slug
    assert answer.reply.text == "fixed blocked en"


def test_a_crisis_in_the_model_s_words_is_escalated_too():
    parts = PartsDouble(GuardDouble(on_output=Decision.ESCALATE))

    answer = decided(parts)

    assert answer.outcome is Outcome.ESCALATE
    assert answer.reply.text == "fixed crisis en"
    assert [found.stage for found in parts.escalated] == ["output"]


def test_a_crisis_outranks_an_unknown_model():
    guard = GuardDouble(on_input=Decision.ESCALATE)

    answer = decided(PartsDouble(guard, route_error=UnknownModel("none")))

    assert answer.outcome is Outcome.ESCALATE
    assert answer.reply.text == "fixed crisis en"


def test_a_crisis_is_seen_without_a_policy_in_force():
    guard = GuardDouble(on_input=Decision.ESCALATE, policy=None)

    answer = decided(PartsDouble(guard))

    assert answer.outcome is Outcome.ESCALATE
    assert answer.policy is None


def test_a_case_that_cannot_be_written_still_gives_the_crisis_reply():
    guard = GuardDouble(on_input=Decision.ESCALATE)
    parts = PartsDouble(guard, escalate_error=OperationalError("read-only"))

    answer = decided(parts)

    assert answer.reply.text == "fixed crisis en"
    assert answer.escalation is None
    assert answer.problem is not None
    assert answer.problem.code == "not_recorded"


@pytest.mark.parametrize("missing", sorted(GuardDouble().output_gates))
def test_a_gate_that_did_not_answer_blocks_the_reply(missing):
    guard = GuardDouble()
    guard.output_gates = guard.output_gates - {missing}

    answer = decided(PartsDouble(guard))

    assert answer.reply.source is Source.FIXED
    assert answer.outcome is Outcome.BLOCK


@pytest.mark.parametrize("missing", sorted(GuardDouble().input_gates))
def test_an_input_gate_that_did_not_answer_keeps_the_model_from_the_text(missing):
    guard = GuardDouble()
    guard.input_gates = guard.input_gates - {missing}
    parts = PartsDouble(guard)

    answer = decided(parts)

    assert answer.outcome is Outcome.BLOCK
    assert parts.asked == []


def test_a_late_reply_is_thrown_away():
    def wait() -> None:
        until = time.perf_counter() + 0.02
        while time.perf_counter() < until:
            pass

    answer = decided(PartsDouble(predicting=wait), deadline_ms=10.0)

    assert answer.outcome is Outcome.UNAVAILABLE
    assert answer.problem is not None
    assert answer.problem.code == "deadline_exceeded"


@pytest.mark.parametrize(
    "parts", [PartsDouble(state="candidate"), PartsDouble(approval_id="")]
)
def test_an_unapproved_version_is_refused_though_the_router_returned_it(parts):
    answer = decided(parts)

    assert answer.outcome is Outcome.REFUSED
    assert answer.problem is not None
    assert answer.problem.code == "version_not_approved"
    assert parts.asked == []


def test_the_sweep_covers_every_label():
    guard = GuardDouble()

    decided(PartsDouble(guard))

    assert guard.swept == ["label"]


def test_the_sweep_covers_a_text_that_masking_changed():
    guard = GuardDouble(on_output=Decision.MASK)

    decided(PartsDouble(guard))

    assert guard.swept == [MASKED_WORDS, "label"]


def test_an_error_nobody_foresaw_is_not_swallowed():
    with pytest.raises(RuntimeError):
        decided(PartsDouble(predict_error=RuntimeError("bug")))


def test_timings_name_each_step():
    answer = decided(PartsDouble())

    assert {"input_ms", "route_ms", "predict_ms", "output_ms", "total_ms"} == set(
        answer.timings
    )


def test_only_release_makes_a_reply_of_a_model_s_words():
    """Structure: no other module names Source.MODEL."""
    root = Path(__file__).resolve().parents[2] / "apps"
    naming = {
        path.name
        for path in root.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Attribute)
        and node.attr == "MODEL"
        and isinstance(node.value, ast.Name)
        and node.value.id == "Source"
    }

    assert naming == {"release.py"}
