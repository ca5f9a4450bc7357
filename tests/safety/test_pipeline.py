"""The runner: order, strictness, failures, windows, masks."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import ClassVar

import pytest

from apps.safety.contracts import (
    Decision,
    Inspection,
    RiskLevel,
    Span,
    Thresholds,
    Verdict,
)
from apps.safety.errors import GatesUnavailable
from apps.safety.gates.base import BaseGate, Finding, Ruling
from apps.safety.masking import WITHHELD, mask, merge_spans
from apps.safety.pipeline import GateRunner
from apps.safety.policy import default_policy
from apps.safety.windows import OVERLAP_CHARS, WINDOW_CHARS, windows
from tests.safety.support import kit, replied, said
from tests.safety.test_gate_contract import GATES


class Broken(BaseGate):
    """Stands in for one gate and misbehaves as told."""

    version: ClassVar[str] = "0"

    def __init__(self, like: type[BaseGate], fault: str) -> None:
        self._fault = fault
        for name in ("name", "stages", "languages", "on_failure", "reasons"):
            setattr(self, name, getattr(like, name))
        self.deadline_ms = 5.0 if fault == "late" else 500.0  # type: ignore[misc]

    def inspect(self, inspection: Inspection, thresholds: Thresholds) -> Verdict:
        good = self.verdict(Finding(0.0), Ruling(Decision.ALLOW))
        if self._fault == "raises":
            raise RuntimeError("boom")
        if self._fault == "late":
            started = time.perf_counter()
            while time.perf_counter() - started < 0.02:
                pass
        bad: dict[str, object] = {
            "none": None,
            "dict": {"decision": "allow"},
            "other_gate": replace(good, gate="other"),
            "no_score": replace(good, score=None),
            "nan": replace(good, score=float("nan")),
            "over": replace(good, score=1.5),
            "decision": replace(good, decision="allow"),  # type: ignore[arg-type]
            "span": replace(good, spans=(Span(0, 10_000, "EMAIL"),)),
            "reason": replace(good, reasons=("made.up",)),
        }
        return bad.get(self._fault, good)  # type: ignore[return-value]


FAULTS = [
    "raises", "late", "none", "dict", "other_gate", "no_score", "nan", "over",
    "decision", "span", "reason",
]  # fmt: skip


def runner(broken: type[BaseGate] | None = None, fault: str = "") -> GateRunner:
    gates = [Broken(gate, fault) if gate is broken else gate(kit()) for gate in GATES]
    return GateRunner(gates, default_policy())


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("gate", GATES, ids=lambda gate: gate.name)
def test_every_fault_of_every_gate_is_its_failure_decision(
    gate: type[BaseGate], fault: str
) -> None:
    result = runner(gate, fault).run(replied("a calm sentence"))

    verdict = result.verdict(gate.name)
    assert verdict.failed
    assert verdict.decision == Decision(gate.on_failure.value)
    assert result.decision == verdict.decision


def test_calm_text_passes_both_stages() -> None:
    assert runner().run(said("I had soup today")).decision is Decision.ALLOW
    assert runner().run(replied("That sounds warming.")).decision is Decision.ALLOW


def test_input_runs_three_gates_and_output_six_in_order() -> None:
    ran = runner()

    assert [v.gate for v in ran.run(said("hello")).verdicts] == [
        "crisis", "toxicity", "privacy",
    ]  # fmt: skip
    assert [v.gate for v in ran.run(replied("hello")).verdicts] == [
        "crisis", "toxicity", "privacy", "bias", "appropriateness", "redaction",
    ]  # fmt: skip


def test_no_gate_is_skipped_because_another_blocked() -> None:
    result = runner().run(said("you idiot, I want to die, call me at 212-555-0182"))

    assert result.decision is Decision.ESCALATE
    assert result.verdict("privacy").decision is Decision.MASK
    assert len(result.verdicts) == 3


@pytest.mark.parametrize(
    "text",
    [
        "fuck you, you worthless piece of shit",
        "my husband beats me",
        "I feel so hopeless and worthless",
        "I hate everyone",
    ],
)
def test_what_a_person_says_is_never_refused(text: str) -> None:
    result = runner().run(said(text))

    assert result.decision in {Decision.ALLOW, Decision.MASK, Decision.ESCALATE}


def test_crisis_verdict_outranks_block() -> None:
    from apps.safety.gates.toxicity import ToxicityGate

    result = runner(ToxicityGate, "raises").run(said("I want to kill myself"))

    assert result.verdict("toxicity").decision is Decision.BLOCK
    assert result.decision is Decision.ESCALATE


@pytest.mark.parametrize("locale", ["es", "de-DE", "", "xx", "zh_CN"])
def test_an_unsupported_language_is_the_failure_decision_not_a_pass(
    locale: str,
) -> None:
    result = runner().run(said("hello there", locale=locale))

    assert result.decision is Decision.ESCALATE
    assert all(verdict.failed for verdict in result.verdicts)
    assert "crisis.language_unsupported" in result.verdict("crisis").reasons


def test_a_foreign_script_is_an_unsupported_language() -> None:
    assert runner().run(said("我今天很难过不想活了")).decision is Decision.ESCALATE


@pytest.mark.parametrize("locale", ["en", "en-US", "EN-gb", "en_AU"])
def test_english_of_any_country_is_supported(locale: str) -> None:
    assert runner().run(said("hello there", locale=locale)).decision is Decision.ALLOW


def test_failed_privacy_withholds_the_text() -> None:
    from apps.safety.gates.privacy import PrivacyGate

    result = runner(PrivacyGate, "raises").run(said("I'm at 5 Elm Street"))

    assert result.masked_text == WITHHELD


def test_failed_crisis_reads_as_high_risk() -> None:
    from apps.safety.gates.crisis import CrisisGate

    assert runner(CrisisGate, "raises").run(said("hi")).risk is RiskLevel.HIGH


def test_identifiers_are_masked_by_type() -> None:
    result = runner().run(said("mail ana@example.org or call +1 212 555 0182"))

    assert result.decision is Decision.MASK
    assert result.masked_text == "mail [EMAIL] or call [PHONE]"


def test_a_policy_gate_that_is_missing_is_refused() -> None:
    with pytest.raises(GatesUnavailable, match="redaction"):
        GateRunner([gate(kit()) for gate in GATES[:-1]], default_policy())


def test_a_gate_given_twice_is_refused() -> None:
    with pytest.raises(GatesUnavailable):
        GateRunner([gate(kit()) for gate in (*GATES, GATES[0])], default_policy())


def test_unknown_verdict_is_a_key_error() -> None:
    with pytest.raises(KeyError):
        runner().run(said("hi")).verdict("bias")


@pytest.mark.parametrize("size", [0, 1, WINDOW_CHARS, WINDOW_CHARS + 1, 50_000])
@pytest.mark.parametrize("unit", ["word ", "x", "\n"])
def test_windows_cover_every_code_point(size: int, unit: str) -> None:
    text = (unit * (size + 1))[:size]
    seen = bytearray(len(text))

    for offset, piece in windows(text):
        assert text[offset : offset + len(piece)] == piece
        seen[offset : offset + len(piece)] = b"\x01" * len(piece)

    assert all(seen)


def test_a_phrase_on_a_window_border_is_read_whole() -> None:
    for shift in range(0, OVERLAP_CHARS, 7):
        filler = "soup " * ((WINDOW_CHARS - shift) // 5)

        result = runner().run(said(filler + "i want to kill myself " + "ok " * 2000))

        assert result.decision is Decision.ESCALATE


def test_a_megabyte_is_read_to_the_end_in_bounded_time() -> None:
    text = "a quiet day with nothing in it " * 34_000 + " reach me: ana@example.org"
    started = time.perf_counter()

    result = runner().run(replace(said(text), deadline_ms=60_000.0))

    assert result.masked_text.endswith("reach me: [EMAIL]")
    assert time.perf_counter() - started < 30


def test_spans_of_later_windows_point_at_the_original() -> None:
    text = "soup " * 3000 + "ana@example.org"

    result = runner().run(said(text))

    span = result.verdict("privacy").spans[-1]
    assert text[span.start : span.end] == "ana@example.org"


def test_mask_merges_overlaps_and_keeps_the_widest_type() -> None:
    spans = [Span(6, 8, "NAME"), Span(3, 8, "EMAIL"), Span(7, 12, "ADDRESS")]

    assert merge_spans(spans) == (Span(3, 12, "EMAIL"),)
    assert mask("ab 0123456789 c", spans) == "ab [EMAIL]9 c"


def test_mask_without_spans_is_the_text_itself() -> None:
    assert mask("\ud800 as it is \x00", []) == "\ud800 as it is \x00"
