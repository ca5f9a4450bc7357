"""No gates, no start."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from apps.safety import assembly, checks
from apps.safety.errors import GatesUnavailable
from apps.safety.policy import GATE_ORDER, default_document
from apps.safety.runtime import linear


def test_the_shipped_configuration_passes() -> None:
    assert checks.check_gates() == []
    assert checks.check_weights() == []
    assert checks.check_default_policy() == []


def test_six_gates_are_assembled_in_order() -> None:
    assert tuple(gate.name for gate in assembly.gates()) == GATE_ORDER


@pytest.mark.parametrize(
    ("paths", "code"),
    [
        (["apps.safety.gates.crisis.Missing"], "safety.E001"),
        (["apps.safety.policy.Policy"], "safety.E001"),
        (["apps.safety.gates.crisis.CrisisGate"] * 2, "safety.E001"),
        ([], "safety.E002"),
        (["apps.safety.gates.crisis.CrisisGate"], "safety.E002"),
    ],
)
def test_wrong_gates_stop_the_start(settings: Any, paths: list[str], code: str) -> None:
    settings.PE_GATES = paths

    assert [message.id for message in checks.check_gates()] == [code]
    with pytest.raises(GatesUnavailable):
        assembly.gate_classes()


def test_missing_weights_stop_the_start(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(linear, "SHIPPED", tmp_path)

    assert [message.id for message in checks.check_weights()] == ["safety.E003"]


def test_a_locale_without_texts_stops_the_start(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    document = default_document()
    del document["texts"]["es"], document["contacts"]["es"]
    monkeypatch.setattr(checks, "default_document", lambda: document)

    (message,) = checks.check_default_policy()

    assert (message.id, "es" in message.msg) == ("safety.E004", True)


def test_a_broken_default_policy_stops_the_start(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(checks, "default_document", dict)

    assert [message.id for message in checks.check_default_policy()] == ["safety.E004"]


def test_warming_runs_a_text_through_both_stages() -> None:
    assembly.warm()
