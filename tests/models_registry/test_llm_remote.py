"""The remote adapter against a real server that fails and stalls when it is told to."""

from __future__ import annotations

import ipaddress
import json
import logging

import pytest

from apps.models_registry.adapters.llm_remote import LlmRemoteAdapter
from apps.models_registry.adapters.remote.breaker import Circuit
from apps.models_registry.adapters.remote.client import Tools
from apps.models_registry.adapters.remote.failures import AddressRefused, EndpointFailed
from apps.models_registry.contracts import (
    GenerationEnd,
    GenerationOptions,
    Role,
    TextRequest,
)
from apps.models_registry.errors import PredictionFailed
from tests.models_registry.chat_server import CALM, Turn, running

LOOPBACK = (ipaddress.ip_network("127.0.0.0/8"),)
SECRET = "sk-very-secret-0123456789"


class Time:
    """A clock that only its sleeper moves."""

    def __init__(self) -> None:
        self.now = 100.0
        self.slept: list[float] = []

    def clock(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds


class Bytes:
    digest = "sha256:x"

    def __init__(self, value: object) -> None:
        self.content = json.dumps(value).encode()


@pytest.fixture
def server():
    with running() as started:
        yield started


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
def make(server, time):
    """A loaded adapter: ``make(attempts=1)``."""
    made: list[LlmRemoteAdapter] = []

    def build(allowed=LOOPBACK, **fields: object) -> LlmRemoteAdapter:
        adapter = LlmRemoteAdapter(Tools(allowed, time.clock, time.sleep))
        adapter.use_secrets(lambda name, origin: SECRET)
        given = {"base_url": server.url, "model": "tiny", **fields}
        adapter.load({"endpoint.json": Bytes(given)}, version_digest="sha256:v")
        made.append(adapter)
        return adapter

    yield build
    for adapter in made:
        adapter.unload()


def asked(text: str = "I slept badly.", **more: object) -> TextRequest:
    return TextRequest(text, **more)


def reason(adapter: LlmRemoteAdapter, *, stream: bool = False) -> str:
    with pytest.raises(EndpointFailed) as failure:
        list(adapter.stream(asked())) if stream else adapter.predict([asked()])
    return failure.value.reason


def test_an_answer_has_text_and_token_counts(make, server):
    (prediction,) = make().predict([asked()])

    assert prediction.text == "".join(CALM)
    assert prediction.end == GenerationEnd("stop", 11, 7)
    assert prediction.model_version_digest == "sha256:v"
    assert server.seen[0].path == "/v1/chat/completions"


def test_the_version_s_own_prompt_comes_first_and_its_limits_hold(make, server):
    adapter = make(system_prompt="Be kind.", max_tokens=50, temperature=0.1)
    options = GenerationOptions(max_tokens=4000, temperature=1.5, seed=7, stop=("x",))

    adapter.predict(
        [
            asked(
                context=("House rules.", "Hi", "Hello"),
                roles=(Role.SYSTEM, Role.USER, Role.ASSISTANT),
                options=options,
            )
        ]
    )

    body = server.seen[0].body
    assert [turn["role"] for turn in body["messages"]] == [
        "system", "system", "user", "assistant", "user",
    ]  # fmt: skip
    assert body["messages"][0]["content"] == "Be kind."
    assert (body["max_tokens"], body["temperature"], body["seed"]) == (50, 1.5, 7)
    assert body["stop"] == ["x"]


def test_turns_that_nobody_named_alternate_up_to_the_assistant(make, server):
    make().predict([asked(context=("a", "b", "c"))])

    roles = [turn["role"] for turn in server.seen[0].body["messages"]]
    assert roles == ["assistant", "user", "assistant", "user"]


def test_a_batch_keeps_its_order(make, server):
    predictions = make(parallel=4).predict([asked(str(n)) for n in range(9)])

    assert len(predictions) == 9
    assert sorted(call.body["messages"][-1]["content"] for call in server.seen) == [
        str(n) for n in range(9)
    ]


def test_connections_are_used_again(make, server):
    adapter = make()
    for _ in range(4):
        adapter.predict([asked()])

    assert len({call.connection for call in server.seen}) == 1


def test_a_stream_gives_chunks_as_they_come_and_counts_last(make):
    pieces = list(make().stream(asked()))

    assert pieces == [*CALM, GenerationEnd("stop", 11, 7)]


def test_a_stream_that_reached_its_limit_says_so(make, server):
    server.turns.append(Turn(finish="length"))

    assert list(make().stream(asked()))[-1].finish == "length"


def test_closing_a_stream_ends_the_call(make, server):
    server.turns.append(Turn(is_endless=True))
    stream = make().stream(asked())
    next(stream)

    stream.close()

    assert server.was_aborted.wait(10)


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
def test_a_busy_server_is_asked_again_after_a_pause(make, server, time, status):
    server.turns.append(Turn(status=status))

    (prediction,) = make().predict([asked()])

    assert prediction.text
    assert len(time.slept) == 1
    assert 0.05 <= time.slept[0] <= 0.15


def test_a_server_is_given_the_time_it_asks_for(make, server, time):
    server.turns.append(Turn(status=503, headers={"Retry-After": "3"}))

    make().predict([asked()])

    assert time.slept == [3.0]


def test_no_retry_outlives_the_deadline(make, server, time):
    server.turns.append(Turn(status=503, headers={"Retry-After": "3"}))

    with pytest.raises(EndpointFailed, match="status_503") as failure:
        make().predict([asked(deadline_ms=2000)])

    assert failure.value.extra == {"retry_after_s": 3.0}
    assert time.slept == []


@pytest.mark.parametrize("status", [400, 401, 403, 404, 422])
def test_a_refusal_is_not_repeated(make, server, status):
    server.turns.append(Turn(status=status))

    assert reason(make(attempts=3)) == f"status_{status}"
    assert len(server.seen) == 1


def test_a_redirect_is_not_followed(make, server):
    server.turns.append(Turn(status=307, headers={"Location": "http://127.0.0.1:1/"}))

    assert reason(make()) == "status_307"


def test_retries_end_with_their_budget(make, server):
    server.turns.extend([Turn(status=429)] * 40)
    adapter = make(attempts=2)

    for _ in range(10):
        reason(adapter)

    # Three to begin with, and a fifth of one more for each call.
    assert 10 + 3 <= len(server.seen) <= 10 + 5


def test_the_circuit_opens_rests_tries_once_and_closes(make, server, time):
    server.turns.extend([Turn(status=500)] * 6)
    adapter = make(attempts=1)
    breaker = adapter._loaded.client.breaker
    for _ in range(5):
        reason(adapter)

    assert reason(adapter) == "circuit_open"
    assert len(server.seen) == 5
    time.now += 10.5
    assert breaker.state is Circuit.HALF_OPEN
    assert reason(adapter) == "status_500"
    assert reason(adapter) == "circuit_open"
    time.now += 10.5
    assert adapter.predict([asked()])
    assert breaker.state is Circuit.CLOSED


def test_one_call_alone_tries_a_half_open_circuit(make, server, time):
    server.turns.extend([Turn(status=500)] * 5)
    adapter = make(attempts=1)
    for _ in range(5):
        reason(adapter)
    time.now += 10.5
    trying = adapter.stream(asked())
    next(trying)

    assert reason(adapter) == "circuit_open"

    trying.close()
    assert adapter.predict([asked()])


def test_our_own_mistakes_do_not_open_the_circuit(make, server):
    server.turns.extend([Turn(status=401)] * 8)
    adapter = make()

    for _ in range(8):
        assert reason(adapter) == "status_401"


def test_a_server_that_says_nothing_is_left(make, server):
    server.turns.append(Turn(stall=True))

    assert reason(make(read_timeout_s=0.1)) == "timed_out"


@pytest.mark.parametrize("stream", [False, True])
def test_a_server_that_is_not_there_is_an_endpoint_failure(make, server, stream):
    adapter = make(base_url="http://127.0.0.1:9/v1", attempts=1)

    assert reason(adapter, stream=stream) == "not_connected"


def test_a_stream_that_stalls_is_left(make, server):
    server.turns.append(Turn(stall_after=2))
    stream = make(read_timeout_s=0.2).stream(asked())

    assert [next(stream), next(stream)] == list(CALM[:2])
    with pytest.raises(EndpointFailed, match="timed_out"):
        next(stream)


@pytest.mark.parametrize("cut_after", [0, 2])
def test_a_stream_that_is_cut_off_is_no_answer(make, server, cut_after):
    server.turns.append(Turn(cut_after=cut_after))

    assert reason(make(), stream=True) == "cut_off"


def test_a_body_that_is_cut_off_is_no_answer(make, server):
    server.turns.append(Turn(cut_after=0))

    assert reason(make(attempts=1)) == "cut_off"


def test_a_stream_that_never_ends_is_left(make, server):
    server.turns.append(Turn(is_endless=True))

    assert reason(make(max_tokens=10), stream=True) == "too_much_text"
    assert server.was_aborted.wait(10)


def test_a_stream_past_its_deadline_is_left(make, server, time):
    stream = make().stream(asked(deadline_ms=1000))
    next(stream)
    time.now += 1.5

    with pytest.raises(EndpointFailed, match="deadline_exceeded"):
        list(stream)


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b"<html>", "not_json"),
        (b"[]", "not_an_object"),
        (b"{}", "no_choice"),
        (b'{"choices": [{"message": {"content": " "}}]}', "no_text"),
        (b'{"choices": [{"message": {"tool_calls": []}}]}', "no_text"),
        (b'{"error": {"message": "busy"}}', "error_event"),
        (b" " * (5 << 20), "body_too_large"),
    ],
)
def test_what_is_no_answer_is_refused(make, server, body, expected):
    server.turns.append(Turn(body=body))

    assert reason(make(attempts=1)) == expected


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b"data: {\n\n", "not_json"),
        (b'data: {"error": {"message": "x"}}\n\n', "error_event"),
        (b"data: [DONE]\n\n", "no_text"),
        (b'{"choices": []}', "cut_off"),
        (b"data: " + b"x" * (2 << 20), "line_too_long"),
    ],
)
def test_what_is_no_stream_is_refused(make, server, body, expected):
    server.turns.append(Turn(body=body))

    assert reason(make(attempts=1), stream=True) == expected


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]", "169.254.169.254"])
def test_private_addresses_are_refused_unless_allowed(make, server, host):
    adapter = make(allowed=(), base_url=f"https://{host}:1/v1")

    with pytest.raises(AddressRefused):
        adapter.predict([asked()])
    assert server.seen == []


def test_the_secret_goes_to_the_server_and_nowhere_else(make, server, caplog):
    server.turns.append(Turn(status=500))
    caplog.set_level(logging.DEBUG)

    make(secret="llm-key", attempts=1)
    adapter = make(secret="llm-key", attempts=1)
    with pytest.raises(PredictionFailed) as failure:
        adapter.predict([asked("words of mine")])

    assert server.seen[0].headers["authorization"] == f"Bearer {SECRET}"
    told = caplog.text + str(failure.value) + repr(adapter.signature())
    assert SECRET not in told
    assert "words of mine" not in told
    assert "status_500" in told or "Model endpoint failed" in told


def test_unloading_twice_is_fine_and_an_unloaded_model_answers_nothing(make):
    adapter = make()
    adapter.unload()
    adapter.unload()

    assert adapter.memory_bytes == 0
    with pytest.raises(PredictionFailed):
        adapter.predict([asked()])
