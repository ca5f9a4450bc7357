"""/v1/moderations: the gates' findings in OpenAI's schema, audited, without a text."""

from __future__ import annotations

import json

import pytest

from apps.accounts.models import QuotaUsage
from apps.audit.models import AuditEntry
from apps.safety.models import Escalation

pytestmark = pytest.mark.django_db

CALM = "Could you help me plan my week?"
CRISIS = "I have decided to kill myself tonight and I have the pills here."
INSULT = "You are an idiot and a pathetic loser."
PATH = "/v1/moderations"


def results(response) -> list[dict]:
    assert response.status_code == 200, response.content
    return response.json()["results"]


def test_each_text_has_flags_scores_and_verdicts(caller, policy):
    calm, crisis, insult = results(caller.post(PATH, {"input": [CALM, CRISIS, INSULT]}))

    assert not calm["flagged"]
    assert calm["categories"].keys() == calm["category_scores"].keys()
    assert len(calm["categories"]) == 13
    assert crisis["flagged"]
    assert crisis["categories"]["self-harm"]
    assert crisis["categories"]["self-harm/intent"]
    assert crisis["category_scores"]["self-harm"] > 0.9
    assert crisis["pe"]["decision"] == "escalate"
    assert insult["categories"]["harassment"]
    assert not insult["categories"]["self-harm"]
    assert set(calm["pe"]["gates"]) == {"crisis", "toxicity", "privacy"}
    assert all(
        0 <= score <= 1
        for one in (calm, crisis, insult)
        for score in one["category_scores"].values()
    )


def test_a_flagged_category_scores_as_one(caller, policy):
    for one in results(caller.post(PATH, {"input": [CRISIS, INSULT]})):
        for name, is_flagged in one["categories"].items():
            assert not is_flagged or one["category_scores"][name] >= 0.5


def test_what_is_not_measured_says_so(caller, policy):
    (one,) = results(caller.post(PATH, {"input": CALM}))

    applied = one["category_applied_input_types"]
    assert applied["self-harm"] == ["text"]
    assert applied["sexual/minors"] == []


def test_a_model_s_words_meet_all_six_gates(caller, policy):
    body = {"input": "You have bipolar disorder.", "pe": {"stage": "output"}}

    (one,) = results(caller.post(PATH, body))

    assert len(one["pe"]["gates"]) == 6
    assert one["pe"]["decision"] in ("replace", "block")


def test_a_text_that_no_gate_can_read_is_flagged(caller, policy):
    (one,) = results(
        caller.post(PATH, {"input": "今日はとても疲れています。眠れません。"})
    )

    assert one["flagged"]
    assert any(gate["failed"] for gate in one["pe"]["gates"].values())


def test_judging_is_audited_and_counted_and_keeps_no_text(caller, policy):
    words = "The zebra crossing is near my school."

    response = caller.post(PATH, {"input": [words, CRISIS]})

    entry = AuditEntry.objects.get(event="inference.texts_moderated")
    assert response.json()["id"] == f"modr-{entry.subject_id}"
    assert entry.details["decisions"] == ["allow", "escalate"]
    assert QuotaUsage.objects.get(period="day").used == 2
    assert Escalation.objects.count() == 0
    kept = str([*AuditEntry.objects.values()]) + response.content.decode()
    assert "zebra" not in kept
    assert CRISIS not in kept


def test_nothing_is_judged_without_a_policy_in_force(caller, gates_warm):
    response = caller.post(PATH, {"input": CALM})

    body = response.json()
    assert response.status_code == 503
    assert body["error"]["code"] == "no_policy_in_force"
    assert body["pe"]["resources"]


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"input": []},
        {"input": 3},
        {"input": ["a"] * 33},
        {"input": [{"type": "image_url"}]},
        {"input": "zebra", "pe": {"stage": "both"}},
        {"input": "zebra", "more": 1},
        [],
    ],
)
def test_what_is_no_text_is_refused(caller, body):
    response = caller.post(PATH, body)

    assert response.status_code == 400
    assert response.json()["error"]["type"] == "invalid_request_error"
    assert "zebra" not in json.dumps(response.json())
