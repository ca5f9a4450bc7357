"""Streams when something fails: what has not been recorded does not leave."""

from __future__ import annotations

import pytest

from apps.accounts.models import QuotaUsage
from apps.audit.models import AuditEntry
from apps.inference import stream_serving
from apps.inference.live import LiveReply
from apps.inference.models import InferenceRecord
from apps.safety.models import Escalation
from tests.inference.test_jurisdictions import (  # noqa: F401 - fixtures
    PROGRAM,
    THERAPEUTIC,
    caller_in,
    in_force,
    only_the_rule,
)
from tests.inference.test_openai_chat import ended, events, told
from tests.inference.test_serving import failing_on
from tests.models_registry.chat_server import CALM, Turn

pytestmark = pytest.mark.django_db

SHOWN = "It sounds like a long week."
LAST = "rest tonight"


def test_a_stream_that_cannot_be_opened_does_not_begin(caller, llm):
    with failing_on("audit_auditentry"):
        response = caller.chat(stream=True)

    body = response.json()
    assert response.status_code == 503
    assert body["error"]["code"] == "not_recorded"
    assert SHOWN not in response.content.decode()
    assert body["pe"]["text"]


def test_the_last_piece_does_not_leave_when_the_record_cannot_be_closed(caller, llm):
    response = caller.chat(stream=True)

    with failing_on("inference_inferencerecord"):
        found = events(response)

    assert told(found).startswith(SHOWN)
    assert LAST not in told(found)
    assert ended(found)["choices"][0]["finish_reason"] == "content_filter"
    assert ended(found)["pe"]["decision"] == "unavailable"
    assert not InferenceRecord.objects.exists()
    assert AuditEntry.objects.filter(event="inference.stream_opened").exists()


def test_a_failure_nobody_foresaw_ends_the_stream_with_help(caller, llm, monkeypatch):
    def broken(self):
        raise RuntimeError("a bug")

    monkeypatch.setattr(LiveReply, "answer", broken)

    found = events(caller.chat(stream=True))

    assert told(found).startswith(SHOWN)
    assert LAST not in told(found)
    assert ended(found)["choices"][0]["finish_reason"] == "content_filter"
    assert ended(found)["pe"]["text"] in told(found)


def test_a_failure_nobody_foresaw_before_the_first_piece_is_a_503(
    caller, llm, monkeypatch
):
    def broken(*_):
        raise RuntimeError("a bug")

    monkeypatch.setattr(stream_serving, "open_stream", broken)

    response = caller.chat(stream=True)

    assert response.status_code == 503
    assert SHOWN not in response.content.decode()
    assert response.json()["pe"]["text"]


def test_a_model_that_urges_harm_opens_a_case_and_costs_nothing(
    caller, llm, chat_server
):
    harm = "You should just kill yourself, nobody would care."
    words = f"{''.join(CALM)} {harm} More words."
    chat_server.turns.append(Turn(chunks=tuple(f"{w} " for w in words.split(" "))))

    found = events(caller.chat(stream=True))

    case = Escalation.objects.get()
    assert "nobody would care" not in told(found)
    assert ended(found)["pe"]["decision"] == "escalate"
    assert ended(found)["pe"]["escalation"]["id"] == str(case.pk)
    assert QuotaUsage.objects.get(period="day").used == 0
    assert InferenceRecord.objects.get().escalation_id == case.pk


def test_a_model_that_falls_silent_is_left_and_help_follows(caller, llm, chat_server):
    chat_server.turns.append(Turn(chunks=(*CALM, " More. ", "Bye."), stall_after=5))

    found = events(caller.chat(stream=True))

    record = InferenceRecord.objects.get()
    assert told(found).startswith(SHOWN)
    assert (record.decision, record.problem_code) == ("unavailable", "endpoint_failed")
    assert ended(found)["pe"]["text"] in told(found)


def test_a_stream_begins_with_the_notice_that_a_jurisdiction_asks_for(
    in_force,  # noqa: F811
    caller_in,  # noqa: F811
    llm,
):
    in_force("us-ny")

    found = events(caller_in("us-ny").chat(stream=True))

    assert told(found).startswith(PROGRAM)
    assert told(found).endswith("".join(CALM))
    assert "rules.disclosure" in ended(found)["pe"]["rules"]
    assert InferenceRecord.objects.get().was_disclosed


def test_a_reply_for_the_licensed_alone_stops_a_stream(
    in_force,  # noqa: F811
    caller_in,  # noqa: F811
    llm,
    chat_server,
):
    in_force("us-il", only_the_rule)
    words = f"{''.join(CALM)} {THERAPEUTIC} And more words. Goodbye now."
    chat_server.turns.append(Turn(chunks=tuple(f"{w} " for w in words.split(" "))))

    found = events(caller_in("us-il").chat(stream=True))

    assert "bipolar" not in told(found)
    assert ended(found)["pe"]["rules"] == ["rules.licensed_only"]
    assert ended(found)["pe"]["decision"] == "replace"
