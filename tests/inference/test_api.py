"""The HTTP API: what is refused, how it is said, and that help is always named."""

from __future__ import annotations

import json
import uuid
from datetime import timedelta

import pytest
from django.test import override_settings
from django.utils import timezone

from apps.accounts.models import ApiKey, QuotaUsage, Tier
from apps.accounts.services import revoke_key
from apps.inference import api
from apps.inference.models import InferenceRecord
from apps.safety.models import Escalation
from tests.inference.conftest import Caller

PATH = "/api/v1/models/support-reply/predict"
BENIGN = "I keep waking at night and worrying about my exam."
SECRET = "zebra crossing"


def problem(response, status, code):
    body = response.json()
    assert (response.status_code, body["code"]) == (status, code), body
    assert response["Content-Type"] == "application/problem+json"
    assert body["status"] == status
    assert body["type"].endswith(code)
    assert body["request_id"] == response["X-Request-ID"]
    assert body["title"]
    assert body["detail"]
    assert SECRET not in response.content.decode()
    return body


def with_help(response, status, code):
    body = problem(response, status, code)
    assert body["contacts"]
    return body


@pytest.mark.parametrize(
    ("raw", "status", "code"),
    [
        (b" ", 400, "invalid_body"),
        (b'{"input": {"text": "zebra crossing"', 400, "invalid_body"),
        (b"\xff", 400, "invalid_body"),
        (b"[1]", 422, "invalid_field"),
        (b'{"input": {}}', 422, "invalid_field"),
        (b'{"input": {"text": 7}}', 422, "invalid_field"),
        (b'{"input": {"text": ""}}', 422, "invalid_field"),
        (rb'{"input": {"text": "\ud83d zebra crossing"}}', 422, "invalid_field"),
        (b'{"input": {"text": "x", "zebra crossing": 1}}', 422, "invalid_field"),
    ],
)
def test_a_body_that_cannot_be_read_is_refused_with_contacts(caller, raw, status, code):
    with_help(caller.post(PATH, raw), status, code)


def test_a_megabyte_of_text_is_refused_with_the_contacts_of_its_locale(caller):
    response = caller.predict("a" * 1_000_000, locale="en-GB")

    body = with_help(response, 413, "text_too_long")
    assert "Samaritans" in str(body["contacts"])
    assert body["limit_chars"] == 20_000


def test_a_body_too_large_to_read_is_refused(caller):
    response = caller.post(PATH, b" " * (2 * 1024 * 1024 + 1))

    with_help(response, 413, "body_too_large")


def test_a_body_that_is_not_declared_as_json_is_refused(caller):
    response = caller.post(PATH, b"{}", content_type="text/plain")

    with_help(response, 415, "unsupported_media_type")


@pytest.mark.django_db
@pytest.mark.parametrize("name", ["GET", "PUT", "PATCH", "DELETE", "OPTIONS"])
def test_other_methods_are_refused(caller, name):
    response = caller.client.generic(
        name, PATH, headers={"Authorization": f"Bearer {caller.raw}"}
    )

    problem(response, 405, "method_not_allowed")


def test_no_key_is_refused_with_contacts(nobody):
    response = nobody.predict(BENIGN)

    with_help(response, 401, "key_missing")
    assert response["WWW-Authenticate"].startswith("Bearer")


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        ("nonsense", "key_malformed"),
        ("pe_live_aaaaaaaa_" + "x" * 43, "key_unknown"),
    ],
)
def test_a_wrong_key_is_refused(db, raw, code):
    with_help(Caller(raw).predict(BENIGN), 401, code)


def test_an_expired_key_is_refused(issue):
    key, raw = issue(expires_at=timezone.now() + timedelta(days=1))
    ApiKey.objects.filter(pk=key.pk).update(
        created_at=timezone.now() - timedelta(days=2),
        expires_at=timezone.now() - timedelta(days=1),
    )

    with_help(Caller(raw).predict(BENIGN), 401, "key_expired")


def test_a_revoked_key_is_refused(issue, operator):
    key, raw = issue()
    revoke_key(actor=operator, key=key, reason="leaked")

    with_help(Caller(raw).predict(BENIGN), 401, "key_revoked")


def test_a_key_without_the_scope_is_refused(issue):
    raw = issue(scopes=["models:read"])[1]

    with_help(Caller(raw).predict(BENIGN), 403, "scope_missing")


def test_an_unknown_model_is_refused_after_the_text_was_inspected(caller, policy):
    response = caller.predict(BENIGN, model="no-such-model")

    body = with_help(response, 404, "unknown_model")
    assert set(body["verdicts"]["input"]) == {"crisis", "toxicity", "privacy"}
    assert InferenceRecord.objects.get().decision == "refused"


def test_a_model_that_the_tier_leaves_out_is_unknown(issue, served, tier):
    Tier.objects.filter(pk=tier.pk).update(allowed_models=[])
    caller = Caller(issue()[1])

    with_help(caller.predict(BENIGN), 404, "unknown_model")
    assert caller.get("/api/v1/models").json() == {"models": []}


def test_a_model_without_a_version_in_production_is_unavailable(caller, model, policy):
    body = with_help(caller.predict(BENIGN), 503, "model_not_serving")

    assert body["output"]["source"] == "fixed"


class CandidateRouter:
    """A router gone wrong: it names a version that nobody approved."""

    version_id = ""

    def route(self, question):
        from apps.inference.contracts import Route

        return Route(CandidateRouter.version_id, "experiment")


def test_an_unapproved_version_is_refused_though_the_router_names_it(
    caller, candidate, policy
):
    CandidateRouter.version_id = str(candidate.pk)

    with override_settings(PE_ROUTER=f"{__name__}.CandidateRouter"):
        response = caller.predict(BENIGN)

    with_help(response, 409, "version_not_approved")


def test_a_version_whose_artifact_was_changed_does_not_answer(caller, served, media):
    from apps.models_registry import serving

    for path in media.rglob("*"):
        if path.is_file():
            path.chmod(0o640)
            path.write_bytes(b"tampered" + path.read_bytes()[8:])
    serving.process_pool.cache_clear()

    body = with_help(caller.predict(BENIGN), 503, "artifact_damaged")

    assert body["output"]["source"] == "fixed"
    assert InferenceRecord.objects.get().decision == "unavailable"


def test_too_many_requests_are_refused_with_contacts(issue, served):
    tier = Tier.objects.get(slug="free")
    caller = Caller(issue(tier=tier)[1])

    answers = [caller.predict(BENIGN) for _ in range(tier.burst + 2)]

    refused = [answer for answer in answers if answer.status_code == 429]
    body = with_help(refused[0], 429, "rate_limited")
    assert body["retry_after_s"] > 0
    assert int(refused[0]["Retry-After"]) >= 1
    assert "RateLimit-Policy" in refused[0]


def test_a_spent_quota_is_refused_with_contacts(issue, served, tier):
    Tier.objects.filter(pk=tier.pk).update(daily_quota=1)
    caller = Caller(issue()[1])
    caller.predict(BENIGN)

    response = caller.predict(BENIGN)

    with_help(response, 429, "quota_exceeded")
    assert int(response["Retry-After"]) >= 1
    assert QuotaUsage.objects.get(period="day").used == 1


def test_an_error_nobody_foresaw_gives_the_fixed_text(caller, policy, monkeypatch):
    def broken(*_args, **_kwargs):
        raise RuntimeError(SECRET)

    monkeypatch.setattr(api, "serve_request", broken)

    body = with_help(caller.predict(BENIGN, locale="en-US"), 503, "unavailable")

    assert "988" in body["output"]["text"]
    assert body["output"]["source"] == "fixed"


def test_the_request_id_of_the_caller_names_everything(caller, served):
    response = caller.predict(BENIGN, headers={"X-Request-ID": "support-case-0001"})

    record = InferenceRecord.objects.get()
    assert response["X-Request-ID"] == record.request_id == "support-case-0001"


def test_a_repeated_key_and_body_gives_the_first_outcome(caller, served):
    headers = {"Idempotency-Key": "k-1"}
    first = caller.predict(BENIGN, headers=headers)

    second = caller.predict(BENIGN, headers=headers)

    assert second.status_code == 200
    assert second.content == first.content
    assert second["Idempotent-Replayed"] == "true"
    assert InferenceRecord.objects.count() == 1
    assert QuotaUsage.objects.get(period="day").used == 1


def test_a_repeated_crisis_opens_one_case(caller, served):
    text = "I am going to kill myself tonight."
    headers = {"Idempotency-Key": "k-1"}
    first = caller.predict(text, headers=headers)

    second = caller.predict(text, headers=headers)

    assert second.content == first.content
    assert Escalation.objects.count() == 1


def test_a_repeated_key_with_another_body_is_refused(caller, served):
    headers = {"Idempotency-Key": "k-1"}
    caller.predict(BENIGN, headers=headers)

    response = caller.predict("Another text.", headers=headers)

    with_help(response, 422, "idempotency_key_reused")


def test_two_callers_may_use_the_same_idempotency_key(caller, issue, served):
    other = Caller(issue(name="another app")[1])
    headers = {"Idempotency-Key": "k-1"}
    caller.predict(BENIGN, headers=headers)

    response = other.predict("Another text.", headers=headers)

    assert response.status_code == 200


def test_a_malformed_idempotency_key_is_refused(caller):
    response = caller.predict(BENIGN, headers={"Idempotency-Key": "a b"})

    with_help(response, 422, "invalid_field")


def test_me_tells_a_key_about_itself(issue, tier):
    key, raw = issue()

    body = Caller(raw).get("/api/v1/me").json()

    assert body["prefix"] == key.prefix
    assert body["tier"]["name"] == tier.slug
    assert body["rate"]["remaining"] == tier.burst - 1
    assert [quota["period"] for quota in body["quotas"]] == ["day", "month"]
    assert raw not in json.dumps(body)


def test_a_request_that_never_was_is_not_found(caller):
    response = caller.get(f"/api/v1/requests/{uuid.uuid4()}")

    problem(response, 404, "not_found")
