"""The real gates, broken for real in every way, against the published matrix."""

from __future__ import annotations

import io
import json
import shutil
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest
from django.core.management import call_command

from apps.core.errors import IntegrityFailure, Unavailable
from apps.safety import assembly
from apps.safety.contracts import (
    Decision,
    Gate,
    Inspection,
    Stage,
    Thresholds,
    Verdict,
)
from apps.safety.fail_modes import FailMode, Outcome, inspection_for, observe
from apps.safety.gates.base import BaseGate, GateKit
from apps.safety.gates.identifiers import gazetteer
from apps.safety.gates.identifiers.found import Identifier
from apps.safety.pipeline import GateRunner, StageResult
from apps.safety.policy import default_policy
from apps.safety.runtime import linear
from apps.safety.runtime.linear import MANIFEST, SHIPPED, WEIGHTS, LinearScorer
from tests.safety.support import HEADS, kit
from tests.safety.test_gate_contract import GATES

PAGE = Path(__file__).resolve().parents[2] / "docs" / "gates" / "fail-modes.md"
MATRIX = observe(GATES, default_policy())
CELLS = [one for one in MATRIX if one.mode is not FailMode.OVERSIZED_TEXT]
BY_NAME: dict[str, type[BaseGate]] = {gate.name: gate for gate in GATES}
# A number of no known form: the identifier gates ask their second finder about it.
SAID = "we walked to the market and bought bread at stall 4821 39077"


class FaultyScorer:
    """Fails inside ``score`` as the real scorer would, from real files and memory."""

    version = "faulty"
    heads = HEADS

    def __init__(self, fault: Callable[[], object]) -> None:
        self._fault = fault

    def score(
        self,
        text: str,
        context: Sequence[str] = (),
        heads: Sequence[str] = (),
        *,
        decides: bool = True,
    ) -> Mapping[str, float]:
        self._fault()
        return dict.fromkeys(HEADS, 0.01)


class FaultyFinder:
    """The same, where a gate looks for identifiers instead of scores."""

    def __init__(self, fault: Callable[[], object]) -> None:
        self._fault = fault

    def find(self, text: str) -> tuple[Identifier, ...]:
        self._fault()
        return ()


def boom() -> None:
    raise RuntimeError("boom")


def spin() -> None:
    started = time.perf_counter()
    while time.perf_counter() - started < 0.02:
        pass


def allocate() -> None:
    np.ones(1 << 60, np.float32)


@pytest.fixture
def no_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[], object]:
    """Weights and lists of names are gone."""
    monkeypatch.setattr(gazetteer, "_FOLDER", tmp_path)
    return lambda: (gazetteer.words.__wrapped__("places"), LinearScorer.load(tmp_path))


@pytest.fixture
def bad_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[], object]:
    """Weights with one byte changed; lists that are no text."""
    for name in (MANIFEST, WEIGHTS):
        shutil.copy(SHIPPED / name, tmp_path / name)
    content = bytearray((tmp_path / WEIGHTS).read_bytes())
    content[len(content) // 2] ^= 1
    (tmp_path / WEIGHTS).write_bytes(content)
    return lambda: LinearScorer.load(tmp_path)


@pytest.fixture
def fault(
    request: pytest.FixtureRequest, no_files: Any, bad_files: Any
) -> Callable[[], object] | None:
    faults: dict[FailMode, Callable[[], object]] = {
        FailMode.EXCEPTION: boom,
        FailMode.TIMEOUT: spin,
        FailMode.MISSING_WEIGHTS: no_files,
        FailMode.CORRUPT_WEIGHTS: bad_files,
        FailMode.OUT_OF_MEMORY: allocate,
    }
    return faults.get(request.param)


def broken_gate(gate: type[BaseGate], fault: Callable[[], object] | None) -> Gate:
    if fault is None:
        return gate(kit())
    built = gate(GateKit(FaultyScorer(fault), FaultyFinder(fault)))
    if fault is spin:
        built.deadline_ms = 5.0  # type: ignore[misc]
    return built


def run(gate: type[BaseGate], broken: Gate, inspection: Inspection) -> StageResult:
    gates = [broken if one is gate else one(kit()) for one in GATES]
    return GateRunner(gates, default_policy()).run(inspection)


@pytest.mark.parametrize(
    ("cell", "fault"),
    [(cell, cell.mode) for cell in CELLS],
    indirect=["fault"],
    ids=[f"{cell.gate}-{cell.stage}-{cell.mode}" for cell in CELLS],
)
def test_each_gate_broken_in_each_way_comes_to_what_the_matrix_says(
    cell: Outcome, fault: Callable[[], object] | None
) -> None:
    gate = BY_NAME[cell.gate]
    asked = inspection_for(gate, cell.stage, cell.mode)
    if cell.mode is not FailMode.FOREIGN_TEXT:
        asked = replace(asked, text=SAID)

    result = run(gate, broken_gate(gate, fault), asked)

    verdict = result.verdict(cell.gate)
    assert verdict.failed == cell.failed is True
    assert verdict.decision == cell.decision == Decision(gate.on_failure.value)
    assert verdict.reasons[-1] == cell.reason
    assert result.decision >= cell.decision


SIGNS = {
    "crisis": "i want to kill myself",
    "toxicity": "fuck you, you worthless piece of shit",
    "privacy": "ana@example.org",
    "bias": "all women are bad at math",
    "appropriateness": "you have bipolar disorder, stop taking your meds",
    "redaction": "sk-proj-abcdefghijklmnop123456",
}


@pytest.mark.parametrize("name", SIGNS)
def test_a_sign_at_the_end_of_an_oversized_text_is_found(name: str) -> None:
    gate = BY_NAME[name](assembly.gate_kit())
    long = inspection_for(BY_NAME[name], Stage.OUTPUT, FailMode.OVERSIZED_TEXT)
    text = long.text + ". " + SIGNS[name]

    result = run(BY_NAME[name], gate, Inspection(text, Stage.OUTPUT, "en", (), 60_000))

    verdict = result.verdict(name)
    assert not verdict.failed
    assert verdict.spans[-1].end > len(long.text) or verdict.decision > Decision.ALLOW


def test_memory_that_runs_out_in_a_gate_of_anyone_is_caught() -> None:
    class Greedy(BY_NAME["toxicity"]):  # type: ignore[misc,name-defined]
        name: ClassVar[str] = "toxicity"

        def inspect(self, inspection: Inspection, thresholds: Thresholds) -> Verdict:
            raise MemoryError

    greedy = Greedy(kit())
    gates = [greedy if one.name == "toxicity" else one(kit()) for one in GATES]
    result = GateRunner(gates, default_policy()).run(Inspection(SAID, Stage.INPUT))

    assert result.decision is Decision.BLOCK
    assert result.verdict("toxicity").reasons == ("toxicity.failed",)


@pytest.mark.parametrize(("files", "error"), [
    ("no_files", Unavailable), ("bad_files", IntegrityFailure),
])  # fmt: skip
def test_a_process_without_sound_weights_builds_no_gate(
    files: str,
    error: type[Exception],
    request: pytest.FixtureRequest,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    request.getfixturevalue(files)
    monkeypatch.setattr(linear, "SHIPPED", tmp_path)

    with pytest.raises(error):
        assembly.gate_kit.__wrapped__()


def test_no_cell_of_the_matrix_is_a_pass() -> None:
    assert all(one.decision >= Decision.BLOCK for one in MATRIX)


def test_the_matrix_holds_every_gate_stage_and_failure_once() -> None:
    cells = [(one.gate, one.stage, one.mode) for one in MATRIX]

    assert len(set(cells)) == len(cells) == 9 * len(FailMode)


def test_the_page_is_what_the_code_generates() -> None:
    out = io.StringIO()

    call_command("fail_modes", format="md", stdout=out)

    assert PAGE.read_text("utf-8") == out.getvalue(), (
        "Write the page again: manage.py fail_modes --format md"
    )


def test_the_rows_are_json() -> None:
    out = io.StringIO()

    call_command("fail_modes", format="json", stdout=out)

    rows = json.loads(out.getvalue())
    assert len(rows) == len(MATRIX)
    assert rows[0]["decision"] == "escalate"
