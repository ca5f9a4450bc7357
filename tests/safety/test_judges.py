"""Judges: stricter or recorded, never looser, whatever they answer or fail with."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from apps.safety.contracts import Decision, Inspection, RiskLevel, Span, Stage
from apps.safety.errors import GatesUnavailable, PolicyInvalid
from apps.safety.judges import seating
from apps.safety.judges.background import Background
from apps.safety.judges.breaker import CircuitBreaker
from apps.safety.judges.contracts import Disagreement, Judge, JudgeFailed, Judgement
from apps.safety.judges.dialects import read_llama_guard, read_scores
from apps.safety.judges.panel import JudgedRunner, Seat
from apps.safety.pipeline import GateRunner, StageResult
from apps.safety.policy import GATE_ORDER, Policy, default_document, parse_policy
from tests.safety.support import kit, replied, said
from tests.safety.test_gate_contract import GATES

CALM = "I had soup today and went for a walk"


class Told(Judge):
    """Answers as told; keeps what it was shown."""

    def __init__(self, name: str = "told", options: Mapping[str, Any] | None = None):
        self.name, self.version = name, "1"
        self.gates = frozenset(GATE_ORDER)
        self.answer: Any = Judgement()
        self.shown: list[Inspection] = []

    def judge(self, inspection: Inspection) -> Judgement:
        self.shown.append(inspection)
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer  # type: ignore[no-any-return]


class ToldFarAway(Told):
    reads_masked = True


def rule(role: str = "stricter", on_failure: str = "strict", **cuts: str) -> Any:
    gates = {gate: {"at": 0.5, "decision": name} for gate, name in cuts.items()}
    return {
        "judge": "told", "role": role, "on_failure": on_failure, "apart": 0.4,
        "gates": gates,
    }  # fmt: skip


def policy_with(*rules: Any) -> Policy:
    return parse_policy({**default_document(), "judges": list(rules)}, name="default")


def judged(
    judge: Judge, policy: Policy, background: Background | None = None
) -> tuple[JudgedRunner, list[Disagreement]]:
    queued: list[Disagreement] = []
    ran = JudgedRunner(
        [gate(kit()) for gate in GATES],
        policy,
        [Seat(judge, policy.judges[0])],
        sink=queued.extend,
        background=background or Background(),
    )
    return ran, queued


def ran_with(answer: Any, wanted: Any, inspection: Inspection) -> StageResult:
    judge = Told()
    judge.answer = answer
    return judged(judge, policy_with(wanted))[0].run(inspection)


def test_a_score_over_the_cut_makes_the_verdict_stricter() -> None:
    result = ran_with(Judgement({"crisis": 0.8}), rule(crisis="escalate"), said(CALM))

    assert result.decision is Decision.ESCALATE
    assert result.verdict("crisis").reasons[-1] == "crisis.judge"
    assert result.risk is RiskLevel.MODERATE


def test_a_judge_that_sees_nothing_loosens_nothing() -> None:
    result = ran_with(
        Judgement(dict.fromkeys(GATE_ORDER, 0.0)),
        rule(crisis="escalate", privacy="block"),
        said("I want to kill myself, call 212-555-0182"),
    )

    assert result.decision is Decision.ESCALATE
    assert result.verdict("privacy").decision is Decision.MASK


def test_identifiers_a_judge_points_at_are_masked() -> None:
    found = Judgement({"privacy": 0.9}, (Span(0, 5, "NAME"),))

    result = ran_with(found, rule(privacy="mask"), said("qwxzy had soup today"))

    assert result.masked_text == "[NAME] had soup today"


def test_an_identifier_nobody_can_point_at_blocks() -> None:
    result = ran_with(Judgement({"privacy": 0.9}), rule(privacy="mask"), said(CALM))

    assert result.verdict("privacy").decision is Decision.BLOCK


FAULTS = [
    JudgeFailed("timeout"), RuntimeError("boom"), MemoryError(), None,
    Judgement({"crisis": float("nan")}), Judgement({"crisis": 1.5}),
    Judgement({"crisis": 0.1}, (Span(0, 10_000, "NAME"),)),
]  # fmt: skip


@pytest.mark.parametrize("fault", FAULTS, ids=repr)
@pytest.mark.parametrize(
    ("on_failure", "decision"),
    [("strict", Decision.ESCALATE), ("note", Decision.ALLOW)],
)
def test_a_judge_that_fails_fails_as_the_policy_says(
    fault: Any, on_failure: str, decision: Decision
) -> None:
    wanted = rule(on_failure=on_failure, crisis="escalate")

    result = ran_with(fault, wanted, said(CALM))

    assert result.decision is decision
    assert ("crisis.judge_failed" in result.verdict("crisis").reasons) is (
        on_failure == "strict"
    )


def test_a_judge_that_is_only_recorded_changes_nothing_and_is_queued() -> None:
    judge, background = Told(), Background()
    judge.answer = Judgement({"crisis": 0.99})
    policy = policy_with(rule("recorded", "note", crisis="escalate"))
    ran, queued = judged(judge, policy, background)

    result = ran.run(said(CALM))
    background.wait()

    assert result.decision is Decision.ALLOW
    (one,) = queued
    assert (one.gate, one.judge, one.stage) == ("crisis", "told", Stage.INPUT)
    assert one.judge_score - one.gate_score >= 0.4
    assert CALM not in repr(one)


def test_scores_that_are_near_are_not_queued() -> None:
    judge = Told()
    policy = policy_with(rule(crisis="escalate"))
    ran, queued = judged(judge, policy)
    score = ran.run(said(CALM)).verdict("crisis").score or 0.0
    judge.answer = Judgement({"crisis": min(1.0, score + 0.3)})

    ran.run(said(CALM))

    assert queued == []


def test_a_judge_far_away_sees_masked_text_and_no_earlier_turn() -> None:
    judge = ToldFarAway()
    ran, _ = judged(judge, policy_with(rule(crisis="escalate")))

    ran.run(said("call me at 212-555-0182", "my name is Ada Lovelace"))

    assert [(one.text, one.context) for one in judge.shown] == [
        ("call me at [PHONE]", ())
    ]


def test_a_recorded_judge_may_not_be_strict_on_failure() -> None:
    with pytest.raises(PolicyInvalid, match="must be note"):
        policy_with(rule("recorded", "strict", crisis="escalate"))


@pytest.mark.parametrize(
    "rules",
    [
        [rule(nothing="block")],
        [rule(crisis="escalate"), rule(crisis="escalate")],
        [rule(crisis="allow")],
        [rule()],
    ],
)
def test_a_policy_with_unsound_judges_is_refused(rules: list[Any]) -> None:
    with pytest.raises(PolicyInvalid):
        policy_with(*rules)


def test_a_policy_whose_judge_is_not_in_the_settings_serves_nothing() -> None:
    seating.judge_named.cache_clear()

    with pytest.raises(GatesUnavailable, match="PE_JUDGES told"):
        seating.seats(policy_with(rule(crisis="escalate")))


SCORES = st.dictionaries(st.sampled_from(GATE_ORDER), st.floats(0, 1))
CUTS = st.dictionaries(
    st.sampled_from(GATE_ORDER),
    st.sampled_from(["mask", "replace", "block", "escalate"]),
    min_size=1,
)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(scores=SCORES, cuts=CUTS, fails=st.booleans(), is_reply=st.booleans())
def test_no_judge_makes_any_verdict_looser(
    scores: dict[str, float], cuts: dict[str, str], fails: bool, is_reply: bool
) -> None:
    text = "Ada Lovelace said: you idiot, call 212-555-0182"
    inspection = replied(text) if is_reply else said(text)
    plain = GateRunner([gate(kit()) for gate in GATES], policy_with()).run(inspection)

    answer = JudgeFailed("timeout") if fails else Judgement(scores)
    result = ran_with(answer, rule(**cuts), inspection)

    assert result.decision >= plain.decision
    for before, after in zip(plain.verdicts, result.verdicts, strict=True):
        assert after.decision >= before.decision
        assert set(before.spans) <= set(after.spans)


@pytest.mark.parametrize(
    ("answer", "gates"),
    [
        ("safe", set()),
        ("\n\nsafe", set()),
        ("unsafe\nS11", {"crisis"}),
        ("unsafe\nS10,S7", {"toxicity", "privacy"}),
        ("unsafe\nS8", set()),
    ],
)
def test_answers_of_a_llama_guard_are_read(answer: str, gates: set[str]) -> None:
    found = read_llama_guard(answer)

    assert {gate for gate, score in found.items() if score} == gates


@pytest.mark.parametrize(
    "answer",
    ["", "Safe.", "unsafe", "safe\nS1", "unsafe\nS99", "unsafe S1",
     "I think it is safe", "safe\nunsafe\nS1", "unsafe\nS1\nsafe"],
)  # fmt: skip
def test_any_other_answer_of_a_llama_guard_is_no_answer(answer: str) -> None:
    with pytest.raises(JudgeFailed, match="answer_unparseable"):
        read_llama_guard(answer)


GOOD = (
    '{"crisis": 0.1, "toxicity": 0, "privacy": 1, "bias": 0.5, "appropriateness": 0.2}'
)


def test_an_object_of_scores_is_read() -> None:
    assert read_scores(GOOD)["privacy"] == 1.0


@pytest.mark.parametrize(
    "answer",
    ["", "{}", "null", "[1]", "safe", GOOD + " ok", "```json\n" + GOOD + "\n```",
     GOOD.replace("0.5", "1.5"), GOOD.replace("0.5", "NaN"),
     GOOD.replace("0.5", "true"), GOOD.replace("0.5", '"0.5"'),
     GOOD.replace("bias", "bais"), "[" * 100_000],
)  # fmt: skip
def test_any_other_object_is_no_answer(answer: str) -> None:
    with pytest.raises(JudgeFailed, match="answer_unparseable"):
        read_scores(answer)


def test_a_breaker_opens_rests_and_lets_one_try() -> None:
    now = [0.0]
    breaker = CircuitBreaker(2, 30.0, lambda: now[0])
    steps: list[tuple[Callable[[], object], bool]] = [
        (breaker.failed, True), (breaker.failed, False),
    ]  # fmt: skip
    for step, may_try in steps:
        step()
        assert breaker.may_try() is may_try
    now[0] = 31.0

    assert [breaker.may_try(), breaker.may_try()] == [True, False]
    breaker.succeeded()
    assert breaker.may_try()
