"""Decide, close, deliver: nothing of a model leaves before its decision is durable."""

from __future__ import annotations

import uuid
from contextlib import contextmanager

import orjson
import pytest
from django.db import OperationalError, connection
from prometheus_client import REGISTRY

from apps.accounts.contracts import KeyFacts, TierFacts
from apps.accounts.models import QuotaUsage
from apps.audit.models import AuditEntry
from apps.audit.selectors import verify_chains
from apps.core.errors import NotPermitted
from apps.inference.errors import UnknownModel
from apps.inference.idempotency import StoredResponse, claim_or_replay
from apps.inference.models import IdempotentRequest, InferenceRecord
from apps.inference.serving import serve_request
from apps.models_registry.errors import PredictionFailed
from apps.safety.contracts import Decision
from tests.inference.doubles import MODEL_WORDS, GuardDouble, PartsDouble, asking

pytestmark = pytest.mark.django_db


def a_caller(daily_quota: int = 100, scopes=("inference:predict",)) -> KeyFacts:
    tier = TierFacts("test", 100, 100, daily_quota, max(1000, daily_quota), 1000)
    return KeyFacts(
        uuid.uuid4(),
        uuid.uuid4(),
        "pe_live_aaaaaaaa",
        "app",
        "1",
        frozenset(scopes),
        tier,
    )


def sent(parts=None, caller=None, claim=None, text="I slept badly again."):
    outgoing = serve_request(
        caller=caller or a_caller(),
        request=asking(text),
        parts=parts or PartsDouble(),
        claim=claim,
    )
    return outgoing.status, orjson.loads(outgoing.body)


def a_claim(caller: KeyFacts):
    return claim_or_replay(
        key_family_id=caller.family_id, idempotency_key="k1", body_digest="d1"
    )


@contextmanager
def failing_on(table: str):
    """Make every insert into a table fail, as a full disk would."""

    def refuse(execute, sql, params, many, context):
        if sql.lstrip().upper().startswith("INSERT") and table in sql:
            raise OperationalError("disk full")
        return execute(sql, params, many, context)

    with connection.execute_wrapper(refuse):
        yield


def test_an_answer_leaves_record_audit_entry_and_quota_behind():
    caller = a_caller()

    status, body = sent(caller=caller)

    record = InferenceRecord.objects.get()
    entry = AuditEntry.objects.get(event="inference.request_closed")
    assert status == 200
    assert body["output"]["text"] == MODEL_WORDS
    assert body["id"] == str(record.pk) == entry.subject_id
    assert (record.decision, record.source) == ("allow", "model")
    assert record.version_digest == entry.details["version_digest"] != ""
    assert set(record.verdicts["output"]) == GuardDouble().output_gates
    assert record.gate_versions["crisis"] == "1.0"
    assert QuotaUsage.objects.get(period="day").used == 1
    assert verify_chains()


def test_no_text_is_kept_anywhere():
    words = "an unmistakable sentence"

    sent(text=words)

    rows = [*InferenceRecord.objects.values(), *AuditEntry.objects.values()]
    assert rows
    assert words not in str(rows)
    assert MODEL_WORDS not in str(rows)


def test_the_same_text_has_the_same_keyed_digest():
    sent(text="the same")
    sent(text="the same")
    sent(text="another")

    digests = list(InferenceRecord.objects.values_list("text_digest", flat=True))
    assert len(digests) == 3
    assert len(set(digests)) == 2


@pytest.mark.parametrize(
    "table",
    ["inference_inferencerecord", "audit_auditentry", "accounts_quotausage"],
)
def test_nothing_of_the_model_leaves_when_the_decision_cannot_be_recorded(table):
    with failing_on(table):
        status, body = sent()

    assert status == 503
    assert body["code"] == "not_recorded"
    assert body["output"] == {
        "text": "fixed unavailable en",
        "source": "fixed",
        "labels": {},
    }
    assert body["contacts"]
    assert MODEL_WORDS not in str(body)
    assert InferenceRecord.objects.count() == 0


def test_a_crisis_reply_is_kept_when_the_decision_cannot_be_recorded():
    parts = PartsDouble(GuardDouble(on_input=Decision.ESCALATE))

    with failing_on("audit_auditentry"):
        status, body = sent(parts)

    assert status == 503
    assert body["decision"] == "escalate"
    assert body["output"]["text"] == "fixed crisis en"


def test_a_case_that_cannot_be_written_is_never_recorded_as_escalated():
    guard = GuardDouble(on_input=Decision.ESCALATE)
    parts = PartsDouble(guard, escalate_error=OperationalError("read-only"))

    status, body = sent(parts)

    assert status == 503
    assert body["output"]["text"] == "fixed crisis en"
    assert body["escalation"] is None
    assert InferenceRecord.objects.count() == 0


def test_a_crisis_is_recorded_with_its_case():
    status, body = sent(PartsDouble(GuardDouble(on_input=Decision.ESCALATE)))

    record = InferenceRecord.objects.get()
    assert status == 200
    assert str(record.escalation_id) == body["escalation"]["id"]


@pytest.mark.parametrize(
    ("parts", "status", "decision"),
    [
        (PartsDouble(predict_error=PredictionFailed("x")), 503, "unavailable"),
        (PartsDouble(route_error=UnknownModel("x")), 404, "refused"),
        (PartsDouble(state="draft"), 409, "refused"),
        (PartsDouble(GuardDouble(policy=None)), 503, "unavailable"),
        (PartsDouble(GuardDouble(on_input=Decision.BLOCK)), 200, "block"),
        (PartsDouble(GuardDouble(on_output=Decision.REPLACE)), 200, "replace"),
    ],
)
def test_every_other_ending_is_recorded_too(parts, status, decision):
    found, body = sent(parts)

    record = InferenceRecord.objects.get()
    assert found == status
    assert body["decision"] == record.decision == decision
    assert record.source == "fixed"
    assert body["contacts"]


def test_an_answer_over_quota_is_refused_and_costs_nothing():
    caller = a_caller(daily_quota=1)
    sent(caller=caller)

    status, body = sent(caller=caller)

    assert status == 429
    assert body["code"] == "quota_exceeded"
    assert body["retry_after_s"] > 0
    assert body["contacts"]
    assert MODEL_WORDS not in str(body)
    assert InferenceRecord.objects.filter(decision="refused").count() == 1


def test_a_person_in_crisis_is_answered_over_quota():
    caller = a_caller(daily_quota=1)
    sent(caller=caller)

    status, body = sent(PartsDouble(GuardDouble(on_input=Decision.ESCALATE)), caller)

    assert status == 200
    assert body["output"]["text"] == "fixed crisis en"
    assert QuotaUsage.objects.get(period="day").used == 1


def test_a_key_without_the_scope_closes_nothing():
    with pytest.raises(NotPermitted):
        sent(caller=a_caller(scopes=("models:read",)))

    assert InferenceRecord.objects.count() == 0


def test_an_outcome_is_stored_sealed_for_its_key():
    caller = a_caller()
    claim = a_claim(caller)

    status, body = sent(caller=caller, claim=claim)

    row = IdempotentRequest.objects.get()
    assert MODEL_WORDS.encode() not in bytes(row.response)
    assert a_claim(caller) == StoredResponse(status, orjson.dumps(body))


@pytest.mark.parametrize(
    "parts",
    [
        PartsDouble(predict_error=PredictionFailed("x")),
        PartsDouble(route_error=UnknownModel("x")),
    ],
)
def test_a_failure_is_not_kept_so_that_it_can_be_tried_again(parts):
    caller = a_caller()

    sent(parts, caller, a_claim(caller))

    assert IdempotentRequest.objects.count() == 0


def test_a_claim_is_let_go_when_nobody_foresaw_the_error():
    caller = a_caller()

    with pytest.raises(RuntimeError):
        sent(PartsDouble(predict_error=RuntimeError("bug")), caller, a_claim(caller))

    assert IdempotentRequest.objects.count() == 0


def test_a_lost_claim_delivers_nothing():
    caller = a_caller()
    claim = a_claim(caller)
    IdempotentRequest.objects.update(claim=uuid.uuid4())

    status, body = sent(caller=caller, claim=claim)

    assert status == 409
    assert MODEL_WORDS not in str(body)
    assert InferenceRecord.objects.get().decision == "refused"


def count_of(decision: str, source: str) -> float:
    labels = {"decision": decision, "source": source}
    return REGISTRY.get_sample_value("pe_inference_answers_total", labels) or 0.0


def test_what_is_delivered_is_counted_not_what_was_decided():
    before = count_of("allow", "model"), count_of("unavailable", "fixed")

    sent()
    with failing_on("audit_auditentry"):
        sent()

    after = count_of("allow", "model"), count_of("unavailable", "fixed")
    assert [now - then for now, then in zip(after, before, strict=True)] == [1, 1]


def test_a_claim_that_cannot_be_let_go_waits_for_its_lease(monkeypatch):
    def down(_claim):
        raise OperationalError("down")

    monkeypatch.setattr("apps.inference.idempotency.release_claim", down)
    caller = a_caller()

    status, _ = sent(
        PartsDouble(route_error=UnknownModel("x")), caller, a_claim(caller)
    )

    assert status == 404
    assert IdempotentRequest.objects.count() == 1
