"""Rules of a jurisdiction, chosen by the key, through the real gateway."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import replace
from datetime import timedelta

import orjson
import pytest
from django.core.management import call_command
from django.utils import timezone

from apps.accounts.keys import key_facts
from apps.accounts.models import ApiKey, User
from apps.accounts.permissions import actor_for_user
from apps.accounts.services import rotate_key
from apps.core.errors import InvalidInput
from apps.inference import disclosing
from apps.inference.models import InferenceRecord
from apps.inference.parts import PlatformParts
from apps.inference.serving import serve_request
from apps.models_registry.contracts import Prediction
from apps.safety import services as safety
from apps.safety.models import Escalation
from apps.safety.policy import document_for
from apps.safety.selectors import forget_policies
from tests.inference.conftest import Caller
from tests.inference.doubles import asking
from tests.inference.test_schema import conforms
from tests.models_registry import stages

BENIGN = "I keep waking at night and worrying about my exam."
THERAPEUTIC = "You have bipolar disorder."
PROGRAM = "You are talking with a computer program"


@pytest.fixture
def in_force(operator, policy):
    """Bring the shipped policy of a jurisdiction into force, perhaps changed."""

    def make(name, change=lambda document: None):
        document = deepcopy(document_for(name))
        change(document)
        row = safety.draft_policy(actor=operator, name=name, document=document)
        safety.submit_policy(actor=operator, policy_id=str(row.pk))
        names = ("cleo", "cora")
        signers = [actor_for_user(User.objects.get(username=one)) for one in names]
        stages.sign_pending(str(row.pk), *signers)
        forget_policies()
        return row

    return make


@pytest.fixture
def caller_in(issue):
    return lambda name: Caller(issue(name=f"app in {name}", jurisdiction=name)[1])


class SayingParts(PlatformParts):
    """The platform's parts, with a model that says what it is told to."""

    saying = ""

    def predict(self, version, asked, deadline_ms):
        return Prediction(self.saying, {}, "r1", version.digest, 0.1)


def only_the_rule(document):
    """No score of the appropriateness gate stops a reply."""
    gate = document["gates"][4]
    gate["thresholds"]["output"] = {"replace": 1.0, "block": 1.0}


def low_risk(document):
    """Every text is of low risk at least, and rules interrupt from there."""
    document["gates"][0]["thresholds"]["input"]["low"] = 0.0
    document["rules"]["interrupt_from"] = "low"


@pytest.fixture
def saying(issue):
    """A key, a request, and a model that answers it with ``words``."""

    def make(words, jurisdiction):
        facts = key_facts(issue(name="saying", jurisdiction=jurisdiction)[0])
        parts = SayingParts(facts)
        parts.saying = words
        asked = replace(asking(BENIGN, locale="en-US"), model_name="support-reply")
        return {"caller": facts, "request": asked, "parts": parts}

    return make


def test_in_illinois_a_therapeutic_decision_is_replaced_by_its_text(
    saying, served, in_force
):
    row = in_force("us-il", only_the_rule)

    sent = orjson.loads(serve_request(**saying(THERAPEUTIC, "us-il")).body)

    assert sent["decision"] == "replace", sent["verdicts"]["output"]
    assert "A licensed professional can" in sent["output"]["text"]
    assert "bipolar" not in sent["output"]["text"]
    assert sent["output"]["source"] == "fixed"
    record = InferenceRecord.objects.get()
    assert record.jurisdiction == "us-il"
    assert (record.policy_name, record.policy_version) == ("us-il", "1")
    assert record.policy_digest == row.digest
    assert record.rules == sent["rules"] == ["rules.licensed_only"]


def test_a_stricter_gate_outranks_the_rule(saying, served, in_force):
    def block(document):
        document["gates"][4]["thresholds"]["output"] = {"replace": 0.0, "block": 0.0}

    in_force("us-il", block)

    sent = orjson.loads(serve_request(**saying(THERAPEUTIC, "us-il")).body)

    assert sent["decision"] == "block"
    assert "licensed" not in sent["output"]["text"]


def test_where_no_rule_speaks_the_reply_is_left_alone(saying, served, in_force):
    in_force("us-il", only_the_rule)
    words = "That sounds tiring. What helps you rest?"

    sent = orjson.loads(serve_request(**saying(words, "us-il")).body)

    assert (sent["decision"], sent["rules"]) == ("allow", [])
    assert sent["output"]["text"] == words


def test_in_new_york_it_is_disclosed_at_the_start_and_after_three_hours(
    served, in_force, caller_in
):
    in_force("us-ny")
    caller = caller_in("us-ny")

    def told(**more):
        body = caller.predict(BENIGN, participant_ref="p-1", **more).json()
        conforms(body, "PredictResponse")
        return body["output"]["text"].startswith(PROGRAM), body["rules"]

    assert told() == (True, ["rules.disclosure"])
    assert told(context=["hello"]) == (False, [])
    long_ago = timezone.now() - timedelta(minutes=181)
    InferenceRecord.objects.update(created_at=long_ago)
    assert told(context=["hello"]) == (True, ["rules.disclosure"])
    assert told(context=["hello"]) == (False, [])
    assert told() == (True, ["rules.disclosure"])


def test_who_cannot_be_recognised_is_told_each_time(served, in_force, caller_in):
    in_force("us-ca")
    caller = caller_in("us-ca")

    for _ in range(2):
        body = caller.predict(BENIGN, context=["hello"]).json()
        assert "artificial intelligence" in body["output"]["text"]


def test_what_one_person_was_told_counts_for_nobody_else(served, in_force, caller_in):
    in_force("us-ny")
    caller, other = caller_in("us-ny"), caller_in("us-ny")
    caller.predict(BENIGN, participant_ref="p-1")

    for asking_one, ref in ((caller, "p-2"), (other, "p-1")):
        body = asking_one.predict(BENIGN, context=["hi"], participant_ref=ref).json()
        assert body["rules"] == ["rules.disclosure"]


def test_without_the_database_it_is_disclosed(db, monkeypatch):
    class Down:
        @staticmethod
        def exists():
            raise disclosing.DatabaseError

    monkeypatch.setattr(
        disclosing.InferenceRecord.objects, "filter", lambda **_: Down, raising=False
    )
    request = asking(context=("hello",), participant_ref="p-1")

    assert disclosing.is_disclosure_due(request, request.id, 180)


def test_risk_interrupts_from_the_level_that_the_rules_name(
    served, in_force, caller_in, caller
):
    in_force("us-ny", low_risk)

    elsewhere = caller.predict(BENIGN, locale="en-US").json()
    body = caller_in("us-ny").predict(BENIGN, locale="en-US").json()

    assert elsewhere["decision"] == "allow"
    assert body["decision"] == "escalate"
    assert body["output"]["text"].startswith("I'm really glad you told me")
    assert body["output"]["text"].endswith("feel human emotion.")
    assert Escalation.objects.get().reasons == ["rules.interrupt"]


def test_a_jurisdiction_without_a_policy_in_force_answers_nothing_of_a_model(
    served, caller_in
):
    response = caller_in("us-or").predict(BENIGN)

    assert (response.status_code, response.json()["code"]) == (
        503,
        "no_policy_in_force",
    )
    assert response.json()["output"]["source"] == "fixed"
    assert InferenceRecord.objects.get().jurisdiction == "us-or"


def test_a_crisis_is_seen_though_the_jurisdiction_has_no_policy(served, caller_in):
    body = caller_in("us-or").predict("I am going to kill myself tonight.").json()

    assert body["decision"] == "escalate"
    assert Escalation.objects.count() == 1


def test_a_successor_of_a_key_stays_in_its_jurisdiction(operator, issue):
    key, _ = issue(jurisdiction="us-il")

    new, _ = rotate_key(actor=operator, key=key)

    assert new.jurisdiction == "us-il"


@pytest.mark.parametrize("name", ["US IL", "../x", "ü", "x" * 61])
def test_a_jurisdiction_that_is_no_policy_name_is_refused(issue, name):
    with pytest.raises(InvalidInput, match="jurisdiction"):
        issue(jurisdiction=name)


def test_a_key_is_issued_for_a_jurisdiction_at_the_shell(operator, tier):
    call_command(
        "issue_key", "app", actor="olga", tier="high", scope=["inference:predict"],
        jurisdiction="us-ca",
    )  # fmt: skip

    assert ApiKey.objects.get(name="app").jurisdiction == "us-ca"
