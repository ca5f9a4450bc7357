"""RFC 9457 problem details: one shape for every error that the API returns.

A problem names a code, a status and what to do. It never quotes the request: what was
sent may be what somebody wrote on their worst night.
"""

from __future__ import annotations

import re
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, JsonResponse
from rest_framework import exceptions
from rest_framework.response import Response

from apps.core.context import current_request_id
from apps.core.errors import PlatformError
from apps.core.metrics import count_problem

CONTENT_TYPE = "application/problem+json"
QUOTED = re.compile(r'["“].*["”]', re.DOTALL)
TYPE_PREFIX = "urn:pixelated-empathy:problem:"


def problem_body(
    *, code: str, title: str, status: int, detail: str, **extra: object
) -> dict[str, object]:
    """The members of RFC 9457 section 3.1, then ``code``, ``request_id``, extras."""
    return {
        "type": TYPE_PREFIX + code,
        "title": title,
        "status": status,
        "detail": detail,
        "code": code,
        "request_id": current_request_id(),
        **extra,
    }


# Any: DRF hands over a context dictionary of its own making.
def problem_handler(error: Exception, context: dict[str, Any]) -> Response | None:
    """DRF's exception handler; None (a 500) for what nobody raised on purpose."""
    if isinstance(error, PlatformError):
        return _response(
            problem_body(
                code=error.code,
                title=error.title,
                status=error.status,
                detail=error.message,
                **error.extra,
            ),
            _headers(error.extra.get("retry_after_s")) | _challenge(error.status),
        )
    if isinstance(error, Http404):
        error = exceptions.NotFound()
    if isinstance(error, PermissionDenied):
        error = exceptions.PermissionDenied()
    if isinstance(error, exceptions.APIException):
        return _from_drf(error)
    return None


def _from_drf(error: exceptions.APIException) -> Response:
    status = int(error.status_code)
    if isinstance(error, exceptions.ValidationError):
        body = problem_body(
            code="invalid_input",
            title="Invalid input",
            status=status,
            detail="One or more fields are missing or of the wrong form.",
            errors=_unquoted(error.get_full_details()),
        )
        return _response(body, {})
    code = str(getattr(error, "default_code", "error"))
    body = problem_body(
        code=code,
        title=code.replace("_", " ").capitalize(),
        status=status,
        detail=str(error.detail),
    )
    headers = _headers(getattr(error, "wait", None))
    challenge = getattr(error, "auth_header", None)
    if challenge:
        headers["WWW-Authenticate"] = str(challenge)
    return _response(body, headers)


# Any: nested lists and dictionaries of DRF's own making.
def _unquoted(details: Any) -> Any:
    """Details whose messages no longer repeat what was sent.

    DRF quotes a value that is no valid choice or identifier; it may be anyone's words.
    """
    if isinstance(details, dict):
        return {key: _unquoted(value) for key, value in details.items()}
    if isinstance(details, list):
        return [_unquoted(value) for value in details]
    return QUOTED.sub("The value", str(details))


def _challenge(status: int) -> dict[str, str]:
    """RFC 9110 section 11.6.1: a 401 names the scheme that would be accepted."""
    return {"WWW-Authenticate": 'Bearer realm="api"'} if status == 401 else {}


def _headers(retry_after_s: object) -> dict[str, str]:
    if not isinstance(retry_after_s, int | float):
        return {}
    return {"Retry-After": str(max(1, int(retry_after_s + 0.999)))}


def _response(body: dict[str, object], headers: dict[str, str]) -> Response:
    status = body["status"]
    assert isinstance(status, int)  # noqa: S101 - narrows the type for mypy
    count_problem(str(body["code"]))
    return Response(body, status=status, headers=headers, content_type=CONTENT_TYPE)


def problem_response(
    request: HttpRequest, *, code: str, title: str, status: int, detail: str
) -> JsonResponse:
    """A problem outside DRF: unknown URL, or a failure before a view was reached."""
    body = problem_body(code=code, title=title, status=status, detail=detail)
    return JsonResponse(body, status=status, content_type=CONTENT_TYPE)
