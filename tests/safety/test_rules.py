"""Rules as policy data: complete or refused, and only ever stricter."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.safety.contracts import Decision, RiskLevel, Stage, Verdict
from apps.safety.errors import PolicyInvalid
from apps.safety.pipeline import StageResult
from apps.safety.policy import document_for, jurisdictions, parse_policy
from apps.safety.rules import THERAPEUTIC_REASONS, Rules


@pytest.mark.parametrize("name", ["us-ca", "us-il", "us-ny"])
def test_the_rules_that_ship_are_whole(name: str) -> None:
    policy = parse_policy(document_for(name), name=name)

    assert name in jurisdictions()
    assert policy.rules != Rules()
    assert policy.digest != parse_policy(document_for("default"), name=name).digest


def test_a_document_without_rules_asks_for_nothing() -> None:
    assert parse_policy(document_for("default"), name="default").rules == Rules()


CHANGES: list[dict[str, Any]] = [
    {"licensed_only": {"reasons": ["appropriateness.typo"], "texts": {}}},
    {"licensed_only": {"reasons": [], "texts": {"international": "x" * 30}}},
    {"disclosure": {"every_minutes": 0, "texts": {"international": "x" * 30}}},
    {"disclosure": {"every_minutes": 180, "texts": {"en-US": "x" * 30}}},
    {"disclosure": {"every_minutes": 180}},
    {"interrupt_from": "none"},
    {"unknown": True},
]


@pytest.mark.parametrize("change", CHANGES, ids=str)
def test_rules_that_are_not_whole_are_refused(change: dict[str, Any]) -> None:
    document = deepcopy(document_for("us-il"))
    document["rules"].update(change)

    with pytest.raises(PolicyInvalid):
        parse_policy(document, name="us-il")


def test_a_reason_that_no_gate_has_is_refused() -> None:
    document = deepcopy(document_for("us-il"))
    document["rules"]["licensed_only"]["reasons"] = ["crisis.plan"]

    with pytest.raises(PolicyInvalid, match=r"no gate has: crisis\.plan"):
        parse_policy(document, name="us-il")


@given(
    decision=st.sampled_from(Decision),
    risk=st.sampled_from(RiskLevel),
    reason=st.sampled_from(sorted(THERAPEUTIC_REASONS)),
    licensed=st.sets(st.sampled_from(sorted(THERAPEUTIC_REASONS))),
    level=st.none() | st.sampled_from(list(RiskLevel)[1:]),
)
def test_rules_never_make_a_decision_weaker(
    decision: Decision,
    risk: RiskLevel,
    reason: str,
    licensed: set[str],
    level: RiskLevel | None,
) -> None:
    verdict = Verdict("appropriateness", "1", decision, 0.5, 0.5, (reason,))
    result = StageResult(Stage.OUTPUT, decision, (verdict,), "", risk)
    rules = Rules(licensed_only=frozenset(licensed), interrupt_from=level)

    ruled, codes = rules.applied(result)

    assert ruled >= decision
    assert bool(codes) or ruled is decision
