"""/v1/chat/completions as programs see it, whole and streamed, with real gates."""

from __future__ import annotations

import json

import pytest

from apps.accounts.models import QuotaUsage
from apps.audit.models import AuditEntry
from apps.audit.selectors import verify_chains
from apps.inference.models import IdempotentRequest, InferenceRecord
from apps.safety.models import Escalation
from tests.models_registry.chat_server import CALM, Turn

pytestmark = pytest.mark.django_db

CRISIS = "I have decided to kill myself tonight and I have the pills here."
CALM_TEXT = "".join(CALM)
HARMFUL = "You are worthless and you should just kill yourself, nobody would care."


def events(response) -> list[dict]:
    """The events of a finished stream, without the mark of its end."""
    body = b"".join(response) if response.streaming else response.content
    lines = [line for line in body.decode().split("\n\n") if line]
    assert lines[-1] == "data: [DONE]"
    return [json.loads(line.removeprefix("data: ")) for line in lines[:-1]]


def told(found: list[dict]) -> str:
    """All text of a stream."""
    choices = [choice for event in found for choice in event["choices"]]
    return "".join(choice["delta"].get("content") or "" for choice in choices)


def ended(found: list[dict]) -> dict:
    """The event with a finish reason; there is one."""
    (last,) = [
        event
        for event in found
        if event["choices"] and event["choices"][0]["finish_reason"]
    ]
    return last


def leave(response) -> None:
    """What a server does when the caller of a begun stream is gone."""
    response._iterator.close()


def test_a_model_s_reply_leaves_checked_and_counted(caller, llm):
    response = caller.chat()

    body = response.json()
    record = InferenceRecord.objects.get()
    assert response.status_code == 200, body
    assert body["object"] == "chat.completion"
    assert body["choices"][0]["message"]["content"] == CALM_TEXT
    assert body["choices"][0]["finish_reason"] == "stop"
    assert body["usage"]["total_tokens"] == 18
    assert body["pe"]["request_id"] == str(record.pk)
    assert body["pe"]["decision"] == record.decision == "allow"
    assert len(record.verdicts["output"]) == 6
    assert "RateLimit" in response


def test_a_stream_is_checked_recorded_and_ends_with_done(caller, llm):
    response = caller.chat(stream=True, stream_options={"include_usage": True})

    found = events(response)

    record = InferenceRecord.objects.get()
    entries = AuditEntry.objects.filter(event__startswith="inference.")
    names = [*entries.order_by("sequence").values_list("event", flat=True)]
    assert response["Content-Type"] == "text/event-stream"
    assert response.streaming
    assert told(found) == CALM_TEXT
    assert ended(found)["choices"][0]["finish_reason"] == "stop"
    assert found[-1]["usage"]["completion_tokens"] == 7
    assert found[-1]["choices"] == []
    assert record.usage["released_chars"] > 0
    assert (record.decision, record.source) == ("allow", "model")
    assert len(record.verdicts["output"]) == 6
    assert names == ["inference.stream_opened", "inference.request_closed"]
    assert QuotaUsage.objects.get(period="day").used == 1
    assert verify_chains()


def test_the_record_is_closed_before_the_last_piece_leaves(caller, llm):
    response = caller.chat(stream=True)
    pieces = iter(response)
    seen = [next(pieces)]
    while not InferenceRecord.objects.exists():
        seen.append(next(pieces))

    shown = b"".join(seen[:-1]).decode()
    assert "[DONE]" not in shown
    assert 'finish_reason":"stop' not in shown
    assert "rest tonight" not in shown


def test_a_crisis_is_answered_before_any_model_is_asked(caller, llm, chat_server):
    for stream in (False, True):
        response = caller.chat(CRISIS, stream=stream, pe={"locale": "en-GB"})

        assert response.status_code == 200
        if stream:
            found = events(response)
            last, text = ended(found), told(found)
        else:
            last = response.json()
            text = last["choices"][0]["message"]["content"]
        assert "116 123" in text
        assert last["choices"][0]["finish_reason"] == "content_filter"
        assert last["pe"]["decision"] == "escalate"
        assert last["pe"]["escalation"]["id"]
        assert last["pe"]["resources"]
        assert any(one.startswith("crisis.") for one in last["pe"]["reasons"])
    assert Escalation.objects.count() == 2
    assert chat_server.seen == []


def test_a_harmful_reply_never_leaves(caller, llm, chat_server):
    chat_server.turns.append(Turn(chunks=(HARMFUL,)))

    body = caller.chat().json()

    assert body["choices"][0]["finish_reason"] == "content_filter"
    assert "worthless" not in json.dumps(body)
    assert body["pe"]["source"] == "fixed"


def test_a_stream_stops_at_harm_with_the_safe_reply(caller, llm, chat_server):
    words = HARMFUL.split(" ")
    tail = ("Much later words. ",) * 50
    chunks = (*CALM, " ", *(f"{word} " for word in words), *tail)
    chat_server.turns.append(Turn(chunks=chunks))

    found = events(caller.chat(stream=True))

    record = InferenceRecord.objects.get()
    text, last = told(found), ended(found)
    assert text.startswith("It sounds like a long week.")
    assert "worthless" not in text
    assert "later words" not in text
    assert last["choices"][0]["finish_reason"] == "content_filter"
    assert last["pe"]["decision"] == record.decision != "allow"
    assert last["pe"]["reasons"]
    assert record.source == "fixed"
    assert 0 < record.usage["released_chars"] < len(text)


@pytest.mark.parametrize("border", range(1, 16, 3))
@pytest.mark.parametrize("stream", [False, True])
def test_an_address_split_over_chunks_never_gets_out(
    caller, llm, chat_server, stream, border
):
    address = "ada.lovelace@example.org"
    whole = f"It sounds like a long week. Please write to {address} soon. Take care."
    at = whole.index(address) + border
    chat_server.turns.append(Turn(chunks=(whole[:at], whole[at:])))

    response = caller.chat(stream=stream)

    if stream:
        text = told(events(response))
    else:
        text = response.json()["choices"][0]["message"]["content"]
    assert "It sounds like a long week." in text
    assert "lovelace" not in text
    assert "@example" not in text
    assert InferenceRecord.objects.get().decision == "mask"


def test_letters_of_an_address_one_by_one_never_get_out(caller, llm, chat_server):
    whole = "Good to hear. Mail me at ada.lovelace@example.org please. Bye for now."
    chat_server.turns.append(Turn(chunks=tuple(whole)))

    text = told(events(caller.chat(stream=True)))

    assert text.startswith("Good to hear.")
    assert text.endswith("Bye for now.")
    assert "lovelace" not in text


def test_identifiers_of_every_turn_are_masked_before_the_model(
    caller, llm, chat_server
):
    earlier = [
        {"role": "system", "content": "Sign as bob@example.org."},
        {"role": "user", "content": "I am at ada@example.org."},
        {"role": "assistant", "content": "Hello."},
    ]

    caller.chat("Write to eve@example.org about my exam.", earlier=earlier)

    sent = chat_server.seen[0].body["messages"]
    assert [turn["role"] for turn in sent] == ["system", "user", "assistant", "user"]
    assert "@example.org" not in json.dumps(sent)
    assert "about my exam" in sent[-1]["content"]


def test_a_model_that_is_down_before_anything_left_is_an_error(
    caller, llm, chat_server
):
    chat_server.turns.extend([Turn(status=500), Turn(cut_after=0)])

    whole, stream = caller.chat(), caller.chat(stream=True)

    for response in (whole, stream):
        body = response.json()
        assert response.status_code == 503
        assert body["error"]["type"] == "server_error"
        assert body["error"]["code"] == "endpoint_failed"
        assert body["pe"]["text"]
        assert body["pe"]["resources"]
    assert set(InferenceRecord.objects.values_list("decision", flat=True)) == {
        "unavailable"
    }
    assert not QuotaUsage.objects.exists()


def test_a_model_that_breaks_off_ends_the_stream_with_help(caller, llm, chat_server):
    chunks = (*CALM, " And then ", "there is more ", "to say.")
    chat_server.turns.append(Turn(chunks=chunks, cut_after=6))

    found = events(caller.chat(stream=True))

    record = InferenceRecord.objects.get()
    last = ended(found)
    assert told(found).startswith("It sounds like a long week.")
    assert "And then" not in told(found)
    assert last["choices"][0]["finish_reason"] == "content_filter"
    assert last["pe"]["decision"] == record.decision == "unavailable"
    assert last["pe"]["text"] in told(found)
    assert QuotaUsage.objects.get(period="day").used == 0


def test_a_caller_that_goes_away_stops_the_model(caller, llm, chat_server):
    chat_server.turns.append(Turn(chunks=(*CALM, " "), is_endless=True))
    response = caller.chat(stream=True)
    pieces = iter(response)
    next(pieces)

    leave(response)

    record = InferenceRecord.objects.get()
    assert chat_server.was_aborted.wait(10)
    assert record.usage["disconnected"] == 1
    assert verify_chains()


def test_a_ranker_answers_chats_too(caller, served):
    whole = caller.chat(model="support-reply").json()
    found = events(caller.chat(model="support-reply", stream=True))

    assert whole["pe"]["source"] == "model"
    assert whole["usage"]["total_tokens"] == 0
    assert told(found) == whole["choices"][0]["message"]["content"] != ""
    assert ended(found)["choices"][0]["finish_reason"] == "stop"


@pytest.mark.parametrize("stream", [False, True])
def test_a_repeated_key_gets_the_first_bytes_again(caller, llm, chat_server, stream):
    first = caller.chat(stream=stream, headers={"Idempotency_Key": "k1"})
    kept = b"".join(first) if first.streaming else first.content

    again = caller.chat(stream=stream, headers={"Idempotency_Key": "k1"})

    assert again.content == kept
    assert again["Content-Type"] == first["Content-Type"]
    assert again["Idempotent-Replayed"] == "true"
    assert len(chat_server.seen) == 1
    assert InferenceRecord.objects.count() == 1


def test_a_stream_that_was_left_may_be_asked_for_again(caller, llm):
    response = caller.chat(stream=True, headers={"Idempotency_Key": "k1"})
    next(iter(response))
    leave(response)

    again = caller.chat(stream=True, headers={"Idempotency_Key": "k1"})

    assert told(events(again)) == CALM_TEXT
    assert IdempotentRequest.objects.count() == 1


def test_a_spent_quota_keeps_a_stream_from_beginning(caller, llm, tier):
    tier.daily_quota = 1
    tier.save()
    events(caller.chat(stream=True))

    response = caller.chat(stream=True)

    body = response.json()
    assert response.status_code == 429
    assert body["error"]["code"] == "quota_exceeded"
    assert "Retry-After" in response
    assert CALM_TEXT not in json.dumps(body)


def test_earlier_turns_that_are_too_many_are_dropped_and_counted(
    caller, llm, chat_server
):
    roles = ("user", "assistant")
    earlier = [{"role": roles[n % 2], "content": f"turn {n}"} for n in range(60)]

    body = caller.chat(earlier=earlier).json()

    sent = chat_server.seen[0].body["messages"]
    assert body["pe"]["dropped_turns"] == 10
    assert [sent[0]["content"], sent[-2]["content"]] == ["turn 10", "turn 59"]


def test_what_was_written_in_several_messages_is_inspected_as_one(
    caller, llm, chat_server
):
    earlier = [{"role": "user", "content": CRISIS}, {"role": "system", "content": "x"}]

    body = caller.chat("Ok.", earlier=earlier).json()

    assert body["pe"]["decision"] == "escalate"
    assert chat_server.seen == []


@pytest.mark.parametrize(
    ("change", "param"),
    [
        ({"n": 2}, "n"),
        ({"tools": [{"type": "function"}]}, "tools"),
        ({"logprobs": True}, "logprobs"),
        ({"response_format": {"type": "json_object"}}, "response_format"),
        ({"temperature": 3}, "temperature"),
        ({"max_tokens": 0}, "max_tokens"),
        ({"seed": True}, "seed"),
        ({"stop": ["a"] * 5}, "stop"),
        ({"stream": "yes"}, "stream"),
        ({"messages": []}, "messages"),
        ({"messages": [{"role": "tool", "content": "x"}]}, "messages"),
        ({"messages": [{"role": "user", "content": "x", "weight": 1}]}, "messages"),
        ({"messages": [{"role": "assistant", "content": "x"}]}, "messages"),
        (
            {"messages": [{"role": "user", "content": [{"type": "image_url"}]}]},
            "messages",
        ),
        ({"messages": [{"role": "user", "content": " "}]}, "messages"),
        ({"pe": {"locale": "not a locale!"}}, "pe"),
        ({"unheard_of": 1}, None),
    ],
)
def test_what_cannot_be_done_is_refused_by_name(caller, change, param):
    response = caller.chat("zebra words", **change)

    body = response.json()
    assert response.status_code == 400
    assert body["error"]["type"] == "invalid_request_error"
    assert body["error"]["param"] == param
    assert body["pe"]["resources"]
    assert "zebra" not in json.dumps(body)


def test_what_changes_nothing_is_accepted(caller, llm):
    response = caller.chat(
        earlier=[
            {"role": "assistant", "content": None, "refusal": None, "tool_calls": None},
            {"role": "user", "content": [{"type": "text", "text": "Hi"}], "name": "A"},
        ],
        n=1,
        tools=None,
        store=False,
        metadata={"a": "b"},
        presence_penalty=0.0,
        user="Jane Doe",
    )

    record = InferenceRecord.objects.get()
    assert response.status_code == 200, response.content
    assert record.participant_digest
    assert "Jane" not in str(record.__dict__)


def test_errors_are_shaped_as_openai_s(nobody, issue, caller, served, db):
    reader = type(caller)(issue(name="reader", scopes=["models:read"])[1])
    cases = [
        (nobody.chat(), 401, "authentication_error", "key_missing"),
        (reader.chat(), 403, "permission_error", "scope_missing"),
        (caller.chat(model="no-such"), 404, "not_found_error", "unknown_model"),
        (caller.get("/v1/models/no-such"), 404, "not_found_error", "unknown_model"),
        (caller.post("/v1/chat/completions", b"{"), 400, "invalid_request_error",
         "invalid_body"),
        (caller.get("/v1/nothing"), 404, "not_found_error", "not_found"),
    ]  # fmt: skip

    for response, status, kind, code in cases:
        error = response.json()["error"]
        assert (response.status_code, error["type"], error["code"]) == (
            status, kind, code,
        )  # fmt: skip
        assert response["Content-Type"] == "application/json"


def test_models_are_listed_and_read(caller, llm):
    listed = caller.get("/v1/models").json()
    one = caller.get("/v1/models/companion").json()

    assert listed["object"] == "list"
    assert [model["id"] for model in listed["data"]] == ["companion"]
    assert one == listed["data"][0]
    assert one["created"] == int(llm.created_at.timestamp())
