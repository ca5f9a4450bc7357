"""RFC 9457 problems: one shape, nothing quoted, the right fields."""

from __future__ import annotations

import json

import pytest
from django.core.exceptions import PermissionDenied
from django.http import Http404
from rest_framework import exceptions, serializers

from apps.accounts.errors import KeyExpired, RateLimited
from apps.core import errors
from apps.core.context import request_context
from apps.core.problems import problem_handler, problem_response


class Choosing(serializers.Serializer):
    colour = serializers.ChoiceField(["red"])
    number = serializers.IntegerField(max_value=3)
    identifier = serializers.UUIDField()


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (errors.InvalidInput("no"), 400, "invalid_input"),
        (errors.NotFound("no"), 404, "not_found"),
        (errors.NotPermitted("no"), 403, "not_permitted"),
        (errors.StateConflict("no"), 409, "state_conflict"),
        (errors.IntegrityFailure("no"), 500, "integrity_failure"),
        (errors.Unavailable("no"), 503, "unavailable"),
        (Http404("secret"), 404, "not_found"),
        (PermissionDenied("secret"), 403, "permission_denied"),
        (exceptions.MethodNotAllowed("GET"), 405, "method_not_allowed"),
        (exceptions.ParseError("bad"), 400, "parse_error"),
        (exceptions.Throttled(wait=3), 429, "throttled"),
    ],
)
def test_every_intended_error_is_a_problem(error, status, code):
    with request_context("req-1"):
        response = problem_handler(error, {})

    assert response.status_code == response.data["status"] == status
    assert response.data["code"] == code
    assert response.data["type"] == f"urn:pixelated-empathy:problem:{code}"
    assert response.data["request_id"] == "req-1"
    assert "secret" not in json.dumps(response.data)
    assert response.content_type == "application/problem+json"


def test_unintended_errors_are_not_dressed_up():
    assert problem_handler(ZeroDivisionError("secret"), {}) is None


def test_401_names_the_scheme_that_would_be_accepted():
    response = problem_handler(KeyExpired("old"), {})

    assert response["WWW-Authenticate"].startswith("Bearer")


@pytest.mark.parametrize(
    ("error", "seconds"),
    [
        (RateLimited("slow", retry_after_s=1.2), "2"),
        (RateLimited("slow", retry_after_s=0.001), "1"),
        (exceptions.Throttled(wait=7), "7"),
    ],
)
def test_429_says_when_to_come_back_in_whole_seconds(error, seconds):
    assert problem_handler(error, {})["Retry-After"] == seconds


def test_authentication_errors_of_drf_keep_their_challenge():
    error = exceptions.NotAuthenticated()
    error.auth_header = 'Bearer realm="api"'

    assert problem_handler(error, {})["WWW-Authenticate"] == 'Bearer realm="api"'


def test_field_errors_say_what_is_wrong_without_repeating_it():
    sent = {"colour": 'my "secret" words', "number": 9, "identifier": "more secrets"}
    choosing = Choosing(data=sent)

    with pytest.raises(exceptions.ValidationError) as refused:
        choosing.is_valid(raise_exception=True)
    response = problem_handler(refused.value, {})

    said = json.dumps(response.data["errors"])
    assert "secret" not in said
    assert set(response.data["errors"]) == {"colour", "number", "identifier"}
    assert "invalid_choice" in said
    assert "less than or equal to 3" in said


def test_problem_outside_drf_has_the_same_shape(rf):
    response = problem_response(
        rf.get("/"), code="not_found", title="Not found", status=404, detail="Gone."
    )

    assert response.status_code == 404
    assert json.loads(response.content)["detail"] == "Gone."
    assert response["Content-Type"] == "application/problem+json"


def test_families_fix_code_and_status():
    families = [
        errors.InvalidInput,
        errors.NotPermitted,
        errors.StateConflict,
        errors.IntegrityFailure,
        errors.Unavailable,
    ]

    assert len({family.code for family in families}) == 5
    assert errors.PlatformError("said", extra={"a": 1}).extra == {"a": 1}
