"""The openai package, unchanged, against a running server."""

from __future__ import annotations

import os
import time

import httpx2
import openai
import pytest

from apps.inference.models import InferenceRecord
from tests.models_registry.chat_server import CALM, Turn

pytestmark = pytest.mark.django_db(transaction=True)

CALM_TEXT = "".join(CALM)
CRISIS = "I have decided to kill myself tonight and I have the pills here."
ASK = [{"role": "user", "content": "Could you help me plan my week?"}]


@pytest.fixture
def connect(live_server):
    """A client as programs make it: only the base URL is ours."""
    made = []

    def make(key: str, **more) -> openai.OpenAI:
        given = {"max_retries": 0, "timeout": 20.0, **more}
        client = openai.OpenAI(base_url=f"{live_server.url}/v1", api_key=key, **given)
        made.append(client)
        return client

    yield make
    for client in made:
        client.close()


@pytest.fixture
def client(connect, issue) -> openai.OpenAI:
    return connect(issue()[1])


def test_models_are_listed(client, llm):
    models = client.models.list()

    assert [model.id for model in models] == ["companion"]
    assert client.models.retrieve("companion").owned_by == "pixelated-empathy"
    with pytest.raises(openai.NotFoundError):
        client.models.retrieve("no-such")


def test_a_chat_is_answered(client, llm):
    completion = client.chat.completions.create(
        model="companion", messages=ASK, temperature=0.3, max_tokens=60, user="u-1"
    )

    choice = completion.choices[0]
    assert choice.message.content == CALM_TEXT
    assert choice.finish_reason == "stop"
    assert completion.usage.total_tokens == 18
    assert completion.model_extra["pe"]["decision"] == "allow"


def test_a_chat_is_streamed(client, llm):
    stream = client.chat.completions.create(
        model="companion",
        messages=ASK,
        stream=True,
        stream_options={"include_usage": True},
    )

    chunks = list(stream)

    deltas = [chunk.choices[0].delta for chunk in chunks if chunk.choices]
    assert deltas[0].role == "assistant"
    assert "".join(delta.content or "" for delta in deltas) == CALM_TEXT
    assert chunks[-1].usage.completion_tokens == 7
    assert chunks[-2].choices[0].finish_reason == "stop"
    assert chunks[-2].model_extra["pe"]["decision"] == "allow"


def test_the_streaming_helper_puts_the_reply_together(client, llm):
    with client.chat.completions.stream(model="companion", messages=ASK) as stream:
        final = stream.get_final_completion()

    assert final.choices[0].message.content == CALM_TEXT


def test_a_reply_can_be_sent_back_as_an_earlier_turn(client, llm, chat_server):
    first = client.chat.completions.create(model="companion", messages=ASK)
    messages = [*ASK, first.choices[0].message, *ASK]

    client.chat.completions.create(model="companion", messages=messages)

    roles = [turn["role"] for turn in chat_server.seen[1].body["messages"]]
    assert roles == ["user", "assistant", "user"]


@pytest.mark.parametrize("stream", [False, True])
def test_a_blocked_message_is_an_answer_and_no_error(client, llm, stream):
    given = client.chat.completions.create(
        model="companion",
        messages=[{"role": "user", "content": CRISIS}],
        stream=stream,
        extra_body={"pe": {"locale": "en-GB"}},
    )

    chunks = list(given) if stream else [given]
    last = chunks[-1]
    text = "".join(
        (chunk.choices[0].delta if stream else chunk.choices[0].message).content or ""
        for chunk in chunks
    )
    assert "116 123" in text
    assert last.choices[0].finish_reason == "content_filter"
    assert last.model_extra["pe"]["escalation"]["id"]


def test_a_ranker_answers_too(client, served):
    completion = client.chat.completions.create(model="support-reply", messages=ASK)
    stream = client.chat.completions.create(
        model="support-reply", messages=ASK, stream=True
    )

    text = "".join(chunk.choices[0].delta.content or "" for chunk in stream)
    assert text == completion.choices[0].message.content != ""


def test_texts_are_moderated(client, policy):
    moderation = client.moderations.create(input=[ASK[0]["content"], CRISIS])

    calm, crisis = moderation.results
    assert not calm.flagged
    assert crisis.flagged
    assert crisis.categories.self_harm
    assert crisis.category_scores.self_harm > 0.9
    assert crisis.category_applied_input_types.sexual_minors == []


def test_a_wrong_key_is_an_authentication_error(connect, llm):
    with pytest.raises(openai.AuthenticationError) as failure:
        connect("pe_live_wrong").chat.completions.create(
            model="companion", messages=ASK
        )

    assert failure.value.code in ("key_malformed", "key_unknown")


def test_a_rate_that_is_exceeded_says_when_to_come_back(connect, issue, tier, llm):
    tier.requests_per_second, tier.burst = 0.01, 1
    tier.save()
    client = connect(issue()[1])
    client.models.list()

    with pytest.raises(openai.RateLimitError) as failure:
        client.chat.completions.create(model="companion", messages=ASK)

    response = failure.value.response
    assert failure.value.code == "rate_limited"
    assert int(response.headers["retry-after"]) >= 1
    assert "burst" in response.headers["ratelimit-policy"]


def test_what_is_not_supported_is_a_bad_request(client, llm):
    with pytest.raises(openai.BadRequestError) as failure:
        client.chat.completions.create(model="companion", messages=ASK, n=3)

    assert failure.value.param == "n"


def test_a_model_that_is_down_is_asked_again_by_the_client(
    connect, issue, llm, chat_server
):
    chat_server.turns.append(Turn(status=400))
    client = connect(issue()[1], max_retries=2)

    completion = client.chat.completions.create(model="companion", messages=ASK)

    assert completion.choices[0].message.content == CALM_TEXT
    assert len(chat_server.seen) == 2


def test_closing_a_stream_stops_the_model_and_closes_the_record(
    client, llm, chat_server
):
    chat_server.turns.append(Turn(chunks=(*CALM, " "), is_endless=True))
    stream = client.chat.completions.create(
        model="companion", messages=ASK, stream=True
    )
    next(stream)

    stream.close()

    assert chat_server.was_aborted.wait(20)
    deadline = time.monotonic() + 20
    while not InferenceRecord.objects.exists() and time.monotonic() < deadline:
        os.sched_yield()
    assert InferenceRecord.objects.get().usage["disconnected"] == 1


def test_the_first_words_come_before_the_model_has_finished(client, llm, chat_server):
    chat_server.turns.append(Turn(chunks=(*CALM, " And more. ", "Bye."), stall_after=5))
    stream = client.chat.completions.create(
        model="companion", messages=ASK, stream=True
    )

    first = next(
        chunk.choices[0].delta.content
        for chunk in stream
        if chunk.choices[0].delta.content
    )
    is_open = not InferenceRecord.objects.exists()
    chat_server.resume.set()
    rest = "".join(chunk.choices[0].delta.content or "" for chunk in stream)

    assert is_open
    assert first + rest == CALM_TEXT + " And more. Bye."


def test_a_connection_serves_many_requests(client, llm):
    assert isinstance(client._client, httpx2.Client)
    for _ in range(3):
        client.models.list()
