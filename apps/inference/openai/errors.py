"""Errors as OpenAI's clients read them, with the platform's own codes.

A code is the same as under /api/v1/, so that programs and people look it up in one
place; ``type`` follows the status.
"""

from __future__ import annotations

from typing import Any

from rest_framework.response import Response

from apps.core.errors import PlatformError
from apps.core.problems import problem_handler

TYPES = {
    401: "authentication_error",
    403: "permission_error",
    404: "not_found_error",
    409: "conflict_error",
    429: "rate_limit_error",
}
JSON_TYPE = "application/json"
# Members of a problem that stand under ``pe`` here.
OWN_MEMBERS = ("request_id", "contacts", "output", "limit_chars", "retry_after_s")


def error_type(status: int) -> str:
    if status >= 500:
        return "server_error"
    return TYPES.get(status, "invalid_request_error")


def problem_error(problem: PlatformError, status: int) -> dict[str, object]:
    """The ``error`` member for a problem that is answered with this status."""
    return {
        "message": problem.message,
        "type": error_type(status),
        "param": problem.extra.get("param"),
        "code": problem.code,
    }


def error_body(error: dict[str, object], own: dict[str, object]) -> dict[str, object]:
    return {"error": error, "pe": own}


# Any: DRF's context and its own response data.
def openai_handler(error: Exception, context: dict[str, Any]) -> Response | None:
    """The platform's exception handler, in OpenAI's shape; None for what it left."""
    response = problem_handler(error, context)
    if response is None:
        return None
    told: dict[str, Any] = response.data
    shaped = {
        "message": told["detail"],
        "type": error_type(response.status_code),
        "param": told.get("param"),
        "code": told["code"],
    }
    own = {name: told[name] for name in OWN_MEMBERS if name in told}
    response.data = error_body(shaped, own)
    response.content_type = JSON_TYPE
    return response
