"""Streams: the same whatever the chunks, never a hidden character, strict on faults."""

from __future__ import annotations

import os
import random
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from apps.safety.contracts import Decision, Gate, Inspection, Stage, Verdict
from apps.safety.gates.base import BaseGate, GateKit
from apps.safety.gates.crisis import CrisisGate
from apps.safety.gates.identifiers import gazetteer
from apps.safety.gates.identifiers.second_opinion import second_opinion
from apps.safety.gates.privacy import PrivacyGate
from apps.safety.pipeline import GateRunner
from apps.safety.policy import default_policy
from apps.safety.streaming import (
    Ending,
    Event,
    Frame,
    Limits,
    OutputStream,
    Released,
    Stop,
    StopReason,
    screened,
)
from tests.safety.support import FixedScorer, replied
from tests.safety.test_gate_contract import GATES
from tests.safety.test_pipeline import runner as faulty_runner


def patient_gates() -> list[BaseGate]:
    """Gates that no busy machine makes late: lateness would look like a difference."""
    gazetteer.warm()
    gates = [gate(GateKit(FixedScorer(), second_opinion())) for gate in GATES]
    for gate in gates:
        gate.deadline_ms = 10.0**9  # type: ignore[misc]
    return gates


class PatientRunner(GateRunner):
    """Gives each gate all the time of a stream; only texts are compared here."""

    def ask(self, gate: Gate, inspection: Inspection) -> Verdict:
        return super().ask(gate, replace(inspection, deadline_ms=10.0**9))


RUNNER = PatientRunner(patient_gates(), default_policy())
PATIENT = Limits(deadline_ms=10**9)
EAGER = replace(PATIENT, step_chars=1, growth=10**6)
CALM = "That sounds like a heavy week. You are not alone with it. "
BLOCKING = "use sk-proj-abcdefghijklmnop1234567890 for it. "
URGING = "You should just kill yourself. "

# What identifiers are made of, so that they come to stand on every kind of border.
WORDS = (
    "Maria", "Johnson", "Dr.", "St.", "Louis", "my friend", "sarah", "jones", "van",
    "My name is", "12", "742", "Oak", "street", "lane", "Apt", "apt.", "4", "NY",
    "10001", "ana@example.org", "ana", "at", "example", "dot", "com", "(at)", "five",
    "six", "seven", "eight", "nine", "two", "one", "212", "555", "0182", "(212)",
    "555-0182", "may", "March", "3", "2021", "is", "94", "years", "old", "p.o.", "box",
    "via", "Roma", "GB33", "BUKB", "2020", "4111", "1111", "ssn", "536-90-4399",
    "api key", "abc123def456ghi789", "de", "the river", "was calm", "home", "we",
    "You said", "I", "It", "www.example.org", "@karen14", "password", "zip code",
    "90210", "umweg", "SW1A", "1AA", "live in", "Springfield", "ext", "e\u0301",
    "Jose\u0301", "\U0001f468\u200d\U0001f469\u200d\U0001f467", "system prompt:",
    "A.", "J.", "e.g.", "&", "**so**",
)  # fmt: skip
GAPS = (
    " ", " ", " ", " ", ". ", ". ", "! ", "? ", "\n", "\n\n", ".\n", ",", ", ", '." ',
    ".) ", "\u2026 ", "\n- ", "\n2. ", "\r\n", " \u0301", ".\u0301 ", "\u00a0", "",
)  # fmt: skip
TEXTS = st.one_of(
    st.text(max_size=200),
    st.lists(st.tuples(st.sampled_from(WORDS), st.sampled_from(GAPS)), max_size=40).map(
        lambda pairs: "".join(word + gap for word, gap in pairs)
    ),
)


def pieces_of(text: str, cuts: Iterable[int]) -> list[str]:
    places = sorted({min(cut, len(text)) for cut in cuts})
    return [text[a:b] for a, b in zip([0, *places], [*places, len(text)], strict=True)]


def events(
    chunks: Iterable[str], limits: Limits = PATIENT, ran: GateRunner = RUNNER
) -> list[Event]:
    return list(screened(chunks, OutputStream(ran, Frame(), limits)))


def ending(found: Sequence[Event]) -> Ending:
    assert isinstance(found[-1], Ending)
    return found[-1]


def told(found: Sequence[Event]) -> list[object]:
    """The events without the time that gates took."""
    return [
        event.text if isinstance(event, Released) else (event.decision, _facts(event))
        for event in found
    ]


def _facts(event: Stop | Ending) -> object:
    result = event.whole if isinstance(event, Ending) else event.result
    verdicts = result.verdicts if result else ()
    return [replace(verdict, elapsed_ms=0.0) for verdict in verdicts]


# The same examples each time. PE_STREAM_EXAMPLES asks for so many, and for new ones.
MANY = int(os.environ.get("PE_STREAM_EXAMPLES", "0"))


@settings(
    max_examples=MANY or 150,
    derandomize=not MANY,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
@given(
    text=TEXTS,
    cuts=st.lists(st.integers(0, 300), max_size=30),
    limits=st.sampled_from([PATIENT, EAGER]),
)
def test_no_cut_changes_anything_and_nothing_hidden_is_released(
    text: str, cuts: list[int], limits: Limits
) -> None:
    whole = RUNNER.run(replied(text))

    found = events(pieces_of(text, cuts), limits)

    assert told(found) == told(events([text], limits))
    assert whole.masked_text.startswith(ending(found).released)
    stop = ending(found).stop
    if stop is None:
        assert ending(found).released == whole.masked_text
    else:
        assert stop.reason is not StopReason.INCONSISTENT


@pytest.mark.parametrize("seed", range(2))
def test_text_of_several_windows_is_released_as_the_whole_is(seed: int) -> None:
    chance = random.Random(seed)
    parts = [
        CALM, "I met Maria Johnson. ", "Call 212-555-0182! ", "no end to it ",
        "at 12 Oak Street, Springfield, NY 10001. ", "ana at example dot com ", "- x\n",
    ]  # fmt: skip
    text = "".join(chance.choice(parts) for _ in range(400))
    cuts = [chance.randrange(len(text)) for _ in range(300)]

    found = events(pieces_of(text, cuts))

    assert told(found) == told(events([text]))
    assert ending(found).released == RUNNER.run(replied(text)).masked_text
    assert sum(isinstance(event, Released) for event in found) > 20


@pytest.mark.parametrize(
    ("text", "released"),
    [
        ("I am in St. Louis. He saw Dr. Smith today. Rest now.",
         "I am in [NAME]. He saw Dr. [NAME] today. Rest now."),
        ("I told Maria. Johnson called.", "I told [NAME] called."),
        ("Write to ana.b.c@mail.example.org. Rest.", "Write to [EMAIL]. Rest."),
        ("It is ana at example dot com. Rest.", "It is [EMAIL]. Rest."),
        ("Dial five five five one two three four five. Rest.", "Dial [PHONE]. Rest."),
        ("Go to 12 Oak St. NY 10001. Rest.", "Go to [ADDRESS]. Rest."),
        ("I ate 12 apples. We crossed the street. Rest.",
         "I ate 12 apples. We crossed the street. Rest."),
        ("Jos\u00e9 van! Johnson is here.", "[NAME]! [NAME] is here."),
    ],
)  # fmt: skip
def test_identifiers_over_borders_are_hidden_whole(text: str, released: str) -> None:
    found = events(text, EAGER)

    assert ending(found).released == released
    assert RUNNER.run(replied(text)).masked_text == released


def test_a_sentence_is_released_before_the_next_one_ends() -> None:
    stream = OutputStream(RUNNER, Frame(), PATIENT)

    assert stream.feed("That sounds like a heavy week.") == ()
    assert stream.feed(" You are ") == (Released("That sounds like a heavy week. "),)


def test_a_last_sentence_that_blocks_is_never_released() -> None:
    found = events([CALM * 3, BLOCKING])

    assert ending(found).released == CALM * 3
    assert ending(found).decision is Decision.BLOCK
    assert isinstance(found[-2], Stop)
    assert found[-2].reason is StopReason.VERDICT


def test_crisis_in_the_output_stops_at_once_and_carries_its_verdict() -> None:
    asked = []

    def source() -> Iterator[str]:
        for chunk in (CALM, URGING, CALM, CALM):
            asked.append(chunk)
            yield chunk

    found = events(source())

    stop = found[-2]
    assert isinstance(stop, Stop)
    assert stop.decision is Decision.ESCALATE
    assert stop.result is not None
    assert "crisis.urging" in stop.result.verdict("crisis").reasons
    assert asked == [CALM, URGING, CALM]
    assert "kill" not in ending(found).released


def test_harm_that_two_sentences_make_together_is_read_together() -> None:
    class Together(FixedScorer):
        def score(
            self,
            text: str,
            context: Sequence[str] = (),
            heads: Sequence[str] = (),
            *,
            decides: bool = True,
        ) -> dict[str, float]:
            both = "end of the rope" in text and "nobody would mind" in text
            return {**self._answer, "toxic": 0.99 if both else 0.05}

    kit = GateKit(Together())
    ran = GateRunner([gate(kit) for gate in GATES], default_policy())
    text = "Think about the end of the rope. It is quiet. In truth nobody would mind. "

    found = events(text + CALM, ran=ran)

    assert ending(found).decision is Decision.BLOCK
    assert "nobody" not in ending(found).released


@pytest.mark.parametrize("gate", [PrivacyGate, CrisisGate])
@pytest.mark.parametrize("fault", ["raises", "late", "none", "nan"])
def test_a_gate_that_fails_decides_as_its_on_failure(
    gate: type[BaseGate], fault: str
) -> None:
    found = events([CALM, CALM], ran=faulty_runner(gate, fault))

    assert ending(found).released == ""
    assert ending(found).decision == Decision(gate.on_failure.value)


def test_after_the_deadline_nothing_is_released_but_the_verdicts_are_given() -> None:
    ticks = [0.0]
    stream = OutputStream(RUNNER, Frame(), Limits(deadline_ms=1000), lambda: ticks[-1])
    assert stream.feed(CALM + CALM)
    ticks.append(5.0)

    assert stream.feed(CALM) == ()
    stop, last = stream.stop, stream.close()[-1]

    assert stop == Stop(StopReason.DEADLINE, Decision.BLOCK)
    assert isinstance(last, Ending)
    assert last.decision is Decision.BLOCK
    assert len(last.whole.verdicts) == 6
    assert stream.close() == (last,)


@pytest.mark.parametrize("chunks", [[], [""], ["", "", ""]])
def test_a_stream_of_nothing_ends_with_verdicts_and_no_text(chunks: list[str]) -> None:
    (only,) = events(chunks)

    assert isinstance(only, Ending)
    assert only.released == ""
    assert only.whole.stage is Stage.OUTPUT


def test_empty_chunks_between_others_change_nothing() -> None:
    text = CALM * 3

    assert told(events([c for char in text for c in ("", char)])) == told(
        events([text])
    )


def test_text_without_any_end_is_let_out_with_a_tail_held_back() -> None:
    stream = OutputStream(RUNNER, Frame(), PATIENT)
    text = "and then it went on " * 100

    out = "".join(piece.text for char in text for piece in stream.feed(char))

    assert text.startswith(out)
    assert PATIENT.tail_chars <= len(text) - len(out) <= PATIENT.flush_chars
    assert ending(stream.close()).released == text


def test_a_source_that_breaks_releases_nothing_more() -> None:
    def source() -> Iterator[str]:
        yield CALM
        raise ConnectionError("gone")

    stream = OutputStream(RUNNER, Frame(), PATIENT)
    heard: list[Event] = []
    with pytest.raises(ConnectionError):
        heard.extend(screened(source(), stream))

    last = stream.close()[-1]

    assert isinstance(last, Ending)
    assert last.whole.verdicts


@pytest.mark.parametrize(
    "unit", ["a quiet day with nothing in it ", "ab. ", ". ", "x", "Aa Bb. ", CALM]
)
def test_twice_the_text_takes_about_twice_the_time(unit: str) -> None:
    def seconds(size: int) -> float:
        text = (unit * size)[:size]
        chunks = [text[at : at + 7] for at in range(0, size, 7)]
        started = time.process_time()
        assert ending(events(chunks)).released == text
        return time.process_time() - started

    seconds(1000)
    assert seconds(24_000) < 3.2 * seconds(12_000) + 0.5


def test_two_hundred_thousand_characters_pass() -> None:
    text = ("a quiet day with nothing in it " * 7000)[:200_000]
    chunks = [text[at : at + 1999] for at in range(0, len(text), 1999)]

    assert ending(events(chunks)).released == text
