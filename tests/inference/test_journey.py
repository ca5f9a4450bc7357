"""The gated path with everything real: key, policy, gates, model, database, HTTP."""

from __future__ import annotations

import json

import pytest

from apps.audit.models import AuditEntry
from apps.audit.selectors import verify_chains
from apps.core.digests import digest_json
from apps.inference import parts
from apps.inference.models import InferenceRecord
from apps.safety.errors import GatesUnavailable
from apps.safety.models import Escalation, SafetyPolicy
from apps.safety.policy import default_document
from apps.safety.selectors import forget_policies
from tests.models_registry.stages import some_replies

CRISIS = "I have the pills next to me and I am going to kill myself tonight."
BENIGN = "I keep waking at night and worrying about my exam."


@pytest.fixture
def replies_by_text():
    return {row["text"] for row in some_replies()}


def test_a_message_is_answered_by_the_model_and_recorded(
    caller, served, replies_by_text
):
    response = caller.predict(BENIGN, locale="en-GB")

    body = response.json()
    record = InferenceRecord.objects.get()
    assert response.status_code == 200, body
    assert body["decision"] == "allow"
    assert body["output"]["source"] == "model"
    assert body["output"]["text"] in replies_by_text
    assert body["version"] == "1"
    assert body["version_digest"] == record.version_digest
    assert body["policy"]["name"] == "default"
    assert set(body["verdicts"]["input"]) == {"crisis", "toxicity", "privacy"}
    assert set(body["verdicts"]["output"]) == {
        "crisis",
        "toxicity",
        "privacy",
        "bias",
        "appropriateness",
        "redaction",
    }
    assert record.router_reason == "alias:production"
    assert response["Cache-Control"] == "no-store"
    assert "RateLimit" in response
    assert verify_chains()


def test_a_crisis_gets_the_fixed_text_of_its_locale_and_a_case(caller, served):
    response = caller.predict(CRISIS, locale="en-GB")

    body = response.json()
    case = Escalation.objects.get()
    assert response.status_code == 200
    assert body["decision"] == "escalate"
    assert body["output"]["source"] == "fixed"
    assert "116 123" in body["output"]["text"]
    assert body["escalation"] == {"id": str(case.pk), "level": case.level}
    assert str(case.correlation_id) == body["id"]
    assert {"Samaritans", "Emergency"} <= {c["name"] for c in body["contacts"]}
    assert body["verdicts"]["output"] == {}
    assert CRISIS not in json.dumps(body)


def test_a_crisis_is_answered_though_the_model_is_unknown(caller, served):
    response = caller.predict(CRISIS, model="no-such-model")

    assert response.status_code == 200
    assert response.json()["decision"] == "escalate"
    assert Escalation.objects.count() == 1


def test_a_crisis_is_seen_without_any_policy(caller, gates_warm):
    response = caller.predict(CRISIS)

    assert response.status_code == 200
    assert response.json()["policy"] is None
    assert response.json()["decision"] == "escalate"
    assert Escalation.objects.count() == 1


def test_nothing_is_answered_without_a_policy(caller, gates_warm):
    response = caller.predict(BENIGN, locale="en-US")

    body = response.json()
    assert response.status_code == 503
    assert body["code"] == "no_policy_in_force"
    assert body["output"]["source"] == "fixed"
    assert "988" in body["output"]["text"]
    assert body["contacts"]


def test_a_policy_that_was_changed_after_signing_answers_nothing(caller, served):
    document = {**default_document(), "schema": 2}
    SafetyPolicy.objects.update(document=document, digest=digest_json(document))
    forget_policies()

    calm, risk = caller.predict(BENIGN), caller.predict(CRISIS)

    assert calm.status_code == 503
    assert calm.json()["code"] == "no_policy_in_force"
    assert risk.json()["decision"] == "escalate"


def test_a_crisis_reply_waits_for_no_gate_that_cannot_be_built(
    caller, served, monkeypatch
):
    def unbuildable(*_args):
        raise GatesUnavailable("missing")

    monkeypatch.setattr(parts, "ready_guard", unbuildable)

    body = caller.predict(CRISIS, locale="en-GB").json()

    assert body["code"] == "gates_unavailable"
    assert "116 123" in body["output"]["text"]
    assert body["output"]["source"] == "fixed"
    assert body["contacts"]


def test_identifiers_are_masked_before_the_model_sees_them(caller, served):
    response = caller.predict("You can write to me at ada@example.org about the exam.")

    body = response.json()
    assert body["decision"] == "mask"
    assert body["verdicts"]["input"]["privacy"]["decision"] == "mask"
    assert body["verdicts"]["input"]["privacy"]["spans"]
    assert body["output"]["source"] == "model"


def test_an_unsupported_language_is_the_gates_failure_not_a_pass(caller, served):
    response = caller.predict("今日はとても疲れています。眠れません。")

    assert response.json()["output"]["source"] == "fixed"
    assert response.json()["decision"] in ("block", "escalate")


@pytest.mark.parametrize("text", ["\x00", "a\x00b", "\u202eabc", "😀" * 500, "ﷺ" * 50])
def test_any_unicode_is_answered(caller, served, text):
    response = caller.predict(text)

    assert response.status_code == 200, response.content
    assert response.json()["decision"]


def test_no_word_of_anyone_is_kept(caller, served):
    words = "The zebra crossing keeps me awake at night."
    said = caller.predict(words).json()["output"]["text"]
    caller.predict(CRISIS)

    rows = [
        *InferenceRecord.objects.values(),
        *AuditEntry.objects.values(),
        *Escalation.objects.values(),
    ]
    kept = str(rows)
    assert rows
    assert words not in kept
    assert CRISIS not in kept
    assert said not in kept


def test_a_caller_reads_back_what_was_decided(caller, served):
    asked = caller.predict(BENIGN).json()

    body = caller.get(f"/api/v1/requests/{asked['id']}").json()

    assert body["decision"] == asked["decision"]
    assert body["version_digest"] == asked["version_digest"]
    assert "text" not in json.dumps(body)


def test_a_caller_reads_only_its_own_requests(caller, issue, served):
    asked = caller.predict(BENIGN).json()
    other = type(caller)(issue(name="another app")[1])

    response = other.get(f"/api/v1/requests/{asked['id']}")

    assert response.status_code == 404
    assert response.json()["code"] == "not_found"


def test_a_caller_lists_the_models_it_may_use(caller, served, tier):
    listed = caller.get("/api/v1/models").json()["models"]

    assert [model["name"] for model in listed] == ["support-reply"]
    assert listed[0]["version"] == "1"
