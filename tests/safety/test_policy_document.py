"""Reading a policy document: complete or refused."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from datetime import date
from typing import Any

import pytest

from apps.safety.contracts import RiskLevel, Stage
from apps.safety.errors import PolicyInvalid
from apps.safety.gates.base import BaseGate
from apps.safety.policy import default_document, default_policy, parse_policy
from tests.safety.test_gate_contract import GATES

Change = Callable[[dict[str, Any]], object]


def changed(change: Change) -> dict[str, Any]:
    document = deepcopy(default_document())
    change(document)
    return document


@pytest.mark.parametrize("gate", GATES, ids=lambda gate: gate.name)
def test_the_default_has_every_number_its_gates_ask_for(gate: type[BaseGate]) -> None:
    for stage in gate.stages:
        numbers = default_policy().thresholds(gate.name, stage)

        assert set(numbers.values) == set(gate.thresholds)


@pytest.mark.parametrize(
    ("locale", "expected"),
    [
        ("en-US", "en-US"),
        ("en_us", "en-US"),
        ("en-GB", "en-GB"),
        ("es", "es"),
        ("es-CO", "es"),
        ("es-MX", "es-MX"),
        ("fr-CA", "fr"),
        ("en", "international"),
        ("en-AU", "international"),
        ("ja", "international"),
        ("", "international"),
        ("../etc", "international"),
    ],
)
def test_an_unknown_country_never_gets_another_country_s_number(
    locale: str, expected: str
) -> None:
    texts = default_policy().texts(locale)

    assert texts.locale == expected
    if expected in {"international", "es"}:
        assert "988" not in texts.crisis + texts.blocked + texts.unavailable
        assert "findahelpline.com" in texts.crisis


@pytest.mark.parametrize("locale", default_policy().locales)
def test_every_contact_is_told_in_the_crisis_text_and_has_a_day(locale: str) -> None:
    policy = default_policy()

    for contact in policy.contacts(locale):
        told = contact.reach.split()[-1] if contact.url else contact.reach[-3:]
        assert contact.verified_on <= date(2030, 1, 1)
        assert told in policy.texts(locale).crisis or "111" in contact.reach


def test_the_higher_the_level_the_sooner_someone_must_come() -> None:
    minutes = [default_policy().minutes_to_acknowledge(level) for level in RiskLevel]

    assert minutes == sorted(minutes, reverse=True)


BAD: dict[str, Change] = {
    "no texts": lambda d: d.pop("texts"),
    "no international texts": lambda d: d["texts"].pop("international"),
    "unknown key": lambda d: d.update(extra=1),
    "gates out of order": lambda d: d["gates"].reverse(),
    "a gate missing": lambda d: d["gates"].pop(),
    "a gate twice": lambda d: d["gates"].append(d["gates"][0]),
    "a threshold above one": lambda d: d["gates"][2]["thresholds"]["input"].update(
        mask=1.5
    ),
    "a threshold in words": lambda d: d["gates"][2]["thresholds"]["input"].update(
        mask="high"
    ),
    "a threshold missing": lambda d: d["gates"][1]["thresholds"]["output"].pop("block"),
    "a stage missing": lambda d: d["gates"][0]["thresholds"].pop("output"),
    "a stage too many": lambda d: d["gates"][3]["thresholds"].update(
        input={"replace": 1, "block": 1}
    ),
    "levels that fall": lambda d: d["gates"][0]["thresholds"]["input"].update(low=0.99),
    "escalating above high": lambda d: d["gates"][0]["thresholds"]["input"].update(
        escalate=0.9
    ),
    "texts without contacts": lambda d: d["contacts"].pop("es"),
    "an impossible day": lambda d: d["contacts"]["es"][0].update(
        verified_on="2026-02-31"
    ),
    "no time to acknowledge": lambda d: d["escalation"]["acknowledge_minutes"].update(
        high=0
    ),
    "a text too short": lambda d: d["texts"]["es"].update(crisis="ok"),
}


@pytest.mark.parametrize("change", BAD.values(), ids=BAD.keys())
def test_an_incomplete_document_is_refused(change: Change) -> None:
    with pytest.raises(PolicyInvalid):
        parse_policy(changed(change), name="default")


@pytest.mark.parametrize("document", [None, [], "text", 5, {}])
def test_a_document_that_is_no_policy_is_refused(document: object) -> None:
    with pytest.raises(PolicyInvalid):
        parse_policy(document, name="default")


def test_the_digest_follows_the_content() -> None:
    other = changed(lambda d: d["gates"][2]["thresholds"]["input"].update(mask=0.6))

    assert parse_policy(other, name="a").digest != default_policy().digest
    assert parse_policy(default_document(), name="a").digest == default_policy().digest


def test_output_only_gates_have_no_input_thresholds() -> None:
    assert not default_policy().has_stage("bias", Stage.INPUT)
    assert default_policy().has_stage("crisis", Stage.INPUT)
