"""Answers where no view answered: a problem for programs, a page for people.

They say nothing about the request itself and, for a failure, nothing about its cause.
"""

from __future__ import annotations

from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views import defaults

from apps.core.context import current_request_id
from apps.core.problems import problem_response
from apps.inference.openai.errors import error_body, error_type

OPENAI_PREFIX = "/v1/"


def _is_program(request: HttpRequest) -> bool:
    return request.path_info.startswith(settings.API_PREFIX)


def _told(
    request: HttpRequest, *, code: str, title: str, status: int, detail: str
) -> HttpResponse:
    """A problem, in the shape that the programs of this part of the API read."""
    if request.path_info.startswith(OPENAI_PREFIX):
        error = {"message": detail, "param": None, "code": code}
        shaped = error_body(
            {**error, "type": error_type(status)}, {"request_id": current_request_id()}
        )
        return JsonResponse(shaped, status=status)
    return problem_response(
        request, code=code, title=title, status=status, detail=detail
    )


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    if not _is_program(request):
        return defaults.bad_request(request, exception)
    return _told(
        request,
        code="bad_request",
        title="Bad request",
        status=400,
        detail="The request could not be read.",
    )


def permission_denied(request: HttpRequest, exception: Exception) -> HttpResponse:
    if not _is_program(request):
        # The page shows the reason. Only a refusal's own words are one: any other
        # exception may quote what somebody wrote.
        is_refusal = isinstance(exception, PermissionDenied)
        shown = exception if is_refusal else PermissionDenied()
        return defaults.permission_denied(request, shown)
    return _told(
        request,
        code="not_permitted",
        title="Not permitted",
        status=403,
        detail="This request is not permitted.",
    )


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    if not _is_program(request):
        return defaults.page_not_found(request, exception)
    return _told(
        request,
        code="not_found",
        title="Not found",
        status=404,
        detail="There is no such URL. The API is described at /api/v1/schema.",
    )


def server_error(request: HttpRequest) -> HttpResponse:
    if not _is_program(request):
        return defaults.server_error(request)
    return _told(
        request,
        code="internal_error",
        title="Internal error",
        status=500,
        detail="Something failed here. It was logged under the request id.",
    )
