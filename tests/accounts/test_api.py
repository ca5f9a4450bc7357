"""Keys over HTTP: who gets in, what a refusal says, what the fields tell."""

from __future__ import annotations

import pytest
from django.urls import path
from rest_framework.response import Response
from rest_framework.test import APIClient
from rest_framework.views import APIView

from apps.accounts.api import RateLimitedView, rate_limit_headers
from apps.accounts.contracts import QuotaState, RateState, TierFacts
from apps.accounts.services import revoke_key

pytestmark = [pytest.mark.django_db, pytest.mark.urls(__name__)]


class OpenToPredict(RateLimitedView, APIView):
    required_scope = "inference:predict"

    def get(self, request):
        return Response({"prefix": request.auth.prefix, "user": request.user})


class Unscoped(APIView):
    def get(self, request):
        return Response({})


urlpatterns = [
    path("api/v1/open", OpenToPredict.as_view()),
    path("api/v1/unscoped", Unscoped.as_view()),
]


def _get(url="/api/v1/open", **headers):
    return APIClient().get(url, headers=headers)


def _bearer(raw):
    return {"Authorization": f"Bearer {raw}"}


def test_key_with_the_scope_gets_in_as_no_person(issue):
    key, raw = issue()

    response = _get(**_bearer(raw))

    assert response.status_code == 200
    assert response.data == {"prefix": key.prefix, "user": None}


@pytest.mark.parametrize("url", ["/api/v1/open", "/api/v1/unscoped"])
def test_no_key_is_answered_401_with_a_challenge(url):
    response = _get(url)

    assert response.status_code == 401
    assert response["WWW-Authenticate"] == 'Bearer realm="api"'
    assert response.data["code"] == "key_missing"
    assert response["Content-Type"] == "application/problem+json"


@pytest.mark.parametrize(
    "header",
    ["Basic dTpw", "Bearer", "Bearer ", "Bearer x", "pe_live_x", "Bearer pé", "\x00"],
)
def test_other_credentials_are_malformed(header):
    response = _get(Authorization=header)

    assert response.status_code == 401
    assert response.data["code"] == "key_malformed"


def test_view_without_a_scope_is_closed_to_every_key(issue):
    _, raw = issue(scopes=["inference:predict", "inference:read", "models:read"])

    response = _get("/api/v1/unscoped", **_bearer(raw))

    assert response.status_code == 403
    assert response.data["code"] == "scope_missing"


def test_wrong_scope_is_answered_403(issue):
    _, raw = issue(scopes=["inference:read"])

    response = _get(**_bearer(raw))

    assert response.status_code == 403
    assert "inference:predict" in response.data["detail"]


def test_revoked_key_is_answered_401_with_its_reason(issue, operator):
    key, raw = issue()
    revoke_key(actor=operator, key=key)

    response = _get(**_bearer(raw))

    assert response.status_code == 401
    assert response.data["code"] == "key_revoked"


def test_fields_count_down_and_the_refusal_says_when_to_retry(issue):
    _, raw = issue()

    answers = [_get(**_bearer(raw)) for _ in range(6)]

    assert [answer.status_code for answer in answers] == [200] * 5 + [429]
    assert answers[0]["RateLimit-Policy"].startswith('"burst";q=5;w=5, "day";q=1000')
    assert answers[0]["RateLimit"] == '"burst";r=4;t=1'
    assert answers[5].data["code"] == "rate_limited"
    assert answers[5]["Retry-After"] == "1"


def test_fields_name_the_quotas_that_were_looked_up():
    tier = TierFacts("t", 0.5, 3, 10, 100, 1)

    fields = rate_limit_headers(
        tier, RateState(3, 2, 1.2), [QuotaState("day", 10, 12, 99.1)]
    )

    assert fields == {
        "RateLimit-Policy": '"burst";q=3;w=6, "day";q=10;w=86400, '
        '"month";q=100;w=2592000',
        "RateLimit": '"burst";r=2;t=2, "day";r=0;t=100',
    }
