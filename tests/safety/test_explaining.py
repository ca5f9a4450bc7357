"""Words that moved a score, asked of the shipped scorer and the real gates."""

from __future__ import annotations

from itertools import pairwise

import pytest

from apps.safety.assembly import gate_kit
from apps.safety.contracts import Inspection, Stage
from apps.safety.explaining import MOST_QUESTIONS, explain, explain_gate, explain_head
from apps.safety.gates.crisis import CrisisGate
from apps.safety.gates.toxicity import ToxicityGate
from apps.safety.policy import default_policy
from apps.safety.runtime.linear import LinearScorer

SAD = "We had soup today. I want to kill myself tonight, and the weather was mild."


@pytest.fixture(scope="module")
def scorer() -> LinearScorer:
    return LinearScorer.load()


def words(text: str, moved: object) -> list[str]:
    return [text[one.start : one.end] for one in moved]  # type: ignore[attr-defined]


def test_the_words_of_risk_move_the_crisis_head(scorer: LinearScorer) -> None:
    moved = explain_head(scorer, "crisis", SAD)

    assert any("kill" in word or "myself" in word for word in words(SAD, moved)[:2])
    assert all(0 < one.by <= 1 for one in moved)
    assert [one.by for one in moved] == sorted((one.by for one in moved), reverse=True)


def test_a_gate_is_explained_with_its_phrases() -> None:
    gate, stage = CrisisGate(gate_kit()), Stage.INPUT
    thresholds = default_policy().thresholds("crisis", stage)

    moved = explain_gate(gate, Inspection(SAD, stage), thresholds)

    assert {"kill", "myself"} & set(words(SAD, moved)[0].split())


def test_positions_are_code_points_of_the_original() -> None:
    said = "😀😀 caf\u00e9 — you worthless\u200b piece of shit 😀"
    gate, stage = ToxicityGate(gate_kit()), Stage.OUTPUT
    thresholds = default_policy().thresholds("toxicity", stage)

    moved = explain_gate(gate, Inspection(said, stage), thresholds)

    assert moved
    assert {"shit", "worthless\u200b"} & set(" ".join(words(said, moved)).split())


def test_the_same_text_is_explained_the_same_and_spans_do_not_overlap(
    scorer: LinearScorer,
) -> None:
    first = explain_head(scorer, "crisis", SAD)
    spans = sorted((one.start, one.end) for one in first)

    assert first == explain_head(scorer, "crisis", SAD)
    assert all(a[1] <= b[0] for a, b in pairwise(spans))


@pytest.mark.parametrize("filler", [10, 80, 90, 400, 5000])
def test_a_long_text_costs_a_bounded_number_of_questions(filler: int) -> None:
    asked = []

    def score(said: str) -> float:
        asked.append(said)
        return 0.9 if "needle" in said else 0.1

    text = "hay " * filler + "needle " + "hay " * filler
    moved = explain(score, text)

    assert words(text, moved) == ["needle"]
    assert len(asked) <= MOST_QUESTIONS


@pytest.mark.parametrize("text", ["", "  ", "\ud800", "\x00", "one"])
def test_any_text_can_be_asked_about(scorer: LinearScorer, text: str) -> None:
    assert len(explain_head(scorer, "toxic", text)) <= 1


def test_an_unknown_head_is_a_key_error(scorer: LinearScorer) -> None:
    with pytest.raises(KeyError):
        explain_head(scorer, "no-such-head", "some words")
