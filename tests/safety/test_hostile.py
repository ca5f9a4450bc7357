"""Hostile texts: a verdict of every gate, no exception, no quadratic time."""

from __future__ import annotations

import pytest

from apps.safety import assembly
from apps.safety.gates.base import GateKit
from apps.safety.gates.identifiers.second_opinion import second_opinion
from apps.safety.pipeline import GateRunner
from apps.safety.policy import default_policy
from benchmarks.hostile import MOST_GROWTH, ProcessorRunner, faults, growth, warmed
from benchmarks.hostile_texts import hostile_texts
from tests.safety.support import FixedScorer
from tests.safety.test_gate_contract import GATES

STEEP = (
    "a", "1-", " ", "\u200b", "\u0301", "\ufdfa", "\ud800", "A. ", "Aa Bb ",
    "my name is ", "12 Oak St ", "do not want to be ", "a@", "http://a.",
)  # fmt: skip


def runner_of(kit: GateKit) -> ProcessorRunner:
    gates = [gate(kit) for gate in GATES]
    return warmed(GateRunner(gates, default_policy()))


@pytest.fixture(scope="module")
def rules() -> ProcessorRunner:
    """Everything but the models, which read windows of a fixed size."""
    return runner_of(GateKit(FixedScorer(), second_opinion()))


def test_every_hostile_text_gets_its_verdicts_in_time(rules: ProcessorRunner) -> None:
    for text in hostile_texts(300, seed=11, longest=1500):
        assert faults(rules, text) == [], ascii(text[:80])

    assert rules.late == []


def test_the_models_read_hostile_texts_too() -> None:
    runner = runner_of(assembly.gate_kit())

    for text in hostile_texts(120, seed=12, longest=200):
        assert faults(runner, text) == [], ascii(text[:80])


@pytest.mark.parametrize("unit", STEEP, ids=ascii)
def test_twice_the_text_takes_about_twice_the_time(
    rules: ProcessorRunner, unit: str
) -> None:
    assert growth(rules, unit, 4000) <= MOST_GROWTH
