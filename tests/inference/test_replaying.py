"""Deciding again: what differs is told, nothing is stored, no text means no answer."""

from __future__ import annotations

import io
import json
from copy import deepcopy
from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from apps.accounts.models import User
from apps.accounts.permissions import actor_for_user
from apps.accounts.roles import Role
from apps.audit.models import AuditEntry
from apps.core.errors import NotPermitted
from apps.inference.errors import KeptTextUnreadable, NoPolicyInForce, TextNotKept
from apps.inference.kept_text import purge_expired
from apps.inference.models import InferenceRecord, KeptText
from apps.inference.replaying import replay_request
from apps.safety import services as safety
from apps.safety.models import Escalation, SafetyPolicy
from apps.safety.policy import default_document
from apps.safety.selectors import forget_policies
from tests.inference.conftest import Caller
from tests.inference.test_schema import conforms
from tests.models_registry import stages

BENIGN = "I keep waking at night and worrying about my exam."
CRISIS = "I am going to kill myself tonight."


@pytest.fixture(autouse=True)
def _keep(settings):
    settings.PE_KEEP_TEXT_HOURS = 24


@pytest.fixture
def officer(acting):
    return acting("ofra", Role.COMPLIANCE)


@pytest.fixture
def adopt(operator, policy):
    """Bring a changed document into force."""

    def make(change):
        document = deepcopy(default_document())
        change(document)
        row = safety.draft_policy(actor=operator, name="default", document=document)
        safety.submit_policy(actor=operator, policy_id=str(row.pk))
        names = ("cleo", "cora")
        signers = [actor_for_user(User.objects.get(username=name)) for name in names]
        stages.sign_pending(str(row.pk), *signers)
        forget_policies()
        return row

    return make


def asked(caller, text=BENIGN) -> InferenceRecord:
    return InferenceRecord.objects.get(pk=caller.predict(text).json()["id"])


def stop_everything(document):
    document["gates"][4]["thresholds"]["output"] = {"replace": 0.0, "block": 0.0}


def test_what_nothing_changed_about_is_the_same(caller, served, officer):
    replay = replay_request(actor=officer, record=asked(caller))

    assert replay.is_same
    assert (replay.then_decision, replay.now_decision) == ("allow", "allow")
    assert len(replay.changes) == 9
    assert not replay.model_would_be_asked


def test_a_new_policy_differs_gate_by_gate(caller, served, officer, adopt):
    record = asked(caller)
    adopt(stop_everything)

    replay = replay_request(actor=officer, record=record)

    differing = {c.gate: c.differs for c in replay.changes if c.differs}
    assert (replay.then_decision, replay.now_decision) == ("allow", "block")
    assert differing == {"appropriateness": ("decision", "threshold")}
    assert (replay.then_policy.version, replay.now_policy.version) == ("1", "2")


def test_a_crisis_decided_again_opens_no_second_case_and_stores_no_decision(
    caller, served, officer
):
    record = asked(caller, CRISIS)

    replay = replay_request(actor=officer, record=record)

    assert replay.now_decision == "escalate"
    assert (Escalation.objects.count(), InferenceRecord.objects.count()) == (1, 1)
    entry = AuditEntry.objects.filter(event="inference.request_replayed").get()
    assert entry.subject_id == str(record.pk)


def test_no_word_is_stored_in_clear(caller, served):
    kept = KeptText.objects.get(pk=asked(caller).pk)

    assert b"exam" not in bytes(kept.sealed)


def test_by_default_no_text_is_kept(caller, served, officer, settings):
    settings.PE_KEEP_TEXT_HOURS = 0
    record = asked(caller)

    with pytest.raises(TextNotKept, match="was not kept"):
        replay_request(actor=officer, record=record)
    assert not KeptText.objects.exists()


def test_a_text_past_its_time_is_purged_and_says_so(caller, served, officer):
    record = asked(caller)
    KeptText.objects.update(expires_at=timezone.now() - timedelta(hours=1))

    with pytest.raises(TextNotKept, match="is purged"):
        replay_request(actor=officer, record=record)
    assert (purge_expired(), purge_expired()) == (1, 0)
    assert KeptText.objects.get().sealed is None
    with pytest.raises(TextNotKept, match="is purged"):
        replay_request(actor=officer, record=record)


def test_without_the_key_it_was_sealed_under_it_cannot_be_opened(
    caller, served, officer, settings
):
    record = asked(caller)
    settings.PE_DATA_KEY = "another key of at least thirty-two characters"

    with pytest.raises(KeptTextUnreadable, match="a key is not the one"):
        replay_request(actor=officer, record=record)


def test_a_text_moved_to_another_record_cannot_be_opened(caller, served, officer):
    first, second = asked(caller), asked(caller, "My cat is asleep.")
    sealed = KeptText.objects.get(pk=first.pk).sealed
    KeptText.objects.filter(pk=second.pk).update(sealed=sealed)

    with pytest.raises(KeptTextUnreadable):
        replay_request(actor=officer, record=second)


def test_without_a_policy_in_force_nothing_is_said(
    caller, served, officer, operator, policy
):
    record = asked(caller)
    safety.retire_policy(actor=operator, policy_id=str(policy.pk))
    forget_policies()

    with pytest.raises(NoPolicyInForce):
        replay_request(actor=officer, record=record)


def test_an_operator_may_not_replay(caller, served, operator):
    with pytest.raises(NotPermitted):
        replay_request(actor=operator, record=asked(caller))


def test_the_command_says_what_differs_and_no_word(caller, served, officer, adopt):
    record, out = asked(caller), io.StringIO()
    adopt(stop_everything)

    call_command("replay_request", str(record.pk), actor="ofra", stdout=out)

    told = out.getvalue()
    assert "decision: allow -> block" in told
    assert "default v1 -> default v2" in told
    assert "appropriateness  decision allow -> block" in told
    assert "It would differ." in told
    assert "exam" not in told


@pytest.mark.parametrize("name", ["nobody-of-that-name", "olga"])
def test_the_command_refuses_who_may_not(caller, served, operator, name):
    with pytest.raises(CommandError):
        call_command("replay_request", str(asked(caller).pk), actor=name)


@pytest.mark.parametrize("given", ["x", "00000000-0000-4000-8000-000000000000"])
def test_the_command_refuses_an_id_of_nothing(db, officer, given):
    with pytest.raises(CommandError, match="no request"):
        call_command("replay_request", given, actor="ofra")


def test_the_endpoint_replays_for_the_line_of_keys_that_asked(caller, served):
    record = asked(caller)

    response = caller.post(f"/api/v1/requests/{record.pk}/replay", {})

    assert response.status_code == 200, response.json()
    conforms(response.json(), "Replay")
    assert response.json()["same"] is True
    assert "RateLimit" in response
    assert "exam" not in json.dumps(response.json())
    assert AuditEntry.objects.filter(
        event="inference.request_replayed", actor_kind="api_key"
    ).exists()


def test_the_endpoint_knows_no_request_of_others_and_needs_its_own_scope(
    caller, served, issue
):
    url = f"/api/v1/requests/{asked(caller).pk}/replay"
    other = Caller(issue(name="other")[1])
    reader = Caller(issue(scopes=["inference:read", "inference:predict"])[1])

    assert other.post(url, {}).status_code == 404
    assert reader.post(url, {}).json()["code"] == "scope_missing"


def test_the_endpoint_says_that_no_text_was_kept(caller, served, settings):
    settings.PE_KEEP_TEXT_HOURS = 0
    response = caller.post(f"/api/v1/requests/{asked(caller).pk}/replay", {})

    assert (response.status_code, response.json()["code"]) == (404, "text_not_kept")


def test_a_policy_that_moves_no_threshold_differs_in_itself_alone(
    caller, served, officer, adopt
):
    record = asked(caller)
    adopt(lambda document: document["escalation"]["acknowledge_minutes"].update(low=45))

    replay = replay_request(actor=officer, record=record)

    assert SafetyPolicy.objects.count() == 2
    assert not replay.is_same
    assert not any(change.differs for change in replay.changes)
