"""Request ids, and the page middleware that API requests do not pay for.

An API request carries a key, no cookie: sessions, messages and the like are for staff
pages. Skipping them changes nothing that protects the API, whose own authentication
denies by default. What Django's deployment checks look for (CSRF, frame
options) stays under its own name and costs a few microseconds.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from csp.middleware import CSPMiddleware
from django.conf import settings
from django.contrib.auth.middleware import AuthenticationMiddleware
from django.contrib.messages.middleware import MessageMiddleware
from django.contrib.sessions.middleware import SessionMiddleware
from django.http import HttpRequest, HttpResponseBase
from django.middleware.common import CommonMiddleware
from django.shortcuts import redirect
from django.urls import reverse
from whitenoise.middleware import WhiteNoiseMiddleware

from apps.core.context import new_request_id, request_context

GetResponse = Callable[[HttpRequest], HttpResponseBase]
# What a caller may choose as a request id: short, and safe in a header and a log line.
REQUEST_ID = re.compile(r"[A-Za-z0-9._:-]{8,64}")


class RequestIdMiddleware:
    """Take a well-formed ``X-Request-ID`` or make one; echo it on every response."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        offered = request.META.get("HTTP_X_REQUEST_ID", "")
        chosen = offered if REQUEST_ID.fullmatch(offered) else new_request_id()
        with request_context(chosen):
            response = self.get_response(request)
        response["X-Request-ID"] = chosen
        return response


# Any: each base is an untyped or differently typed Django middleware class.
def pages_only(base: Any) -> Any:
    """A middleware class that steps aside for paths under ``settings.API_PREFIX``."""

    class PagesOnly(base):  # type: ignore[misc]
        def __call__(self, request: HttpRequest) -> HttpResponseBase:
            if request.path_info.startswith(settings.API_PREFIX):
                response: HttpResponseBase = self.get_response(request)
                return response
            return super().__call__(request)  # type: ignore[no-any-return]

    PagesOnly.__name__ = PagesOnly.__qualname__ = f"PagesOnly{base.__name__}"
    return PagesOnly


PagesStatic = pages_only(WhiteNoiseMiddleware)
PagesSession = pages_only(SessionMiddleware)
PagesCommon = pages_only(CommonMiddleware)
PagesAuthentication = pages_only(AuthenticationMiddleware)
PagesMessages = pages_only(MessageMiddleware)


class ContentSecurity(pages_only(CSPMiddleware)):  # type: ignore[misc]
    """The strict policy, with the one allowance that the admin's theme needs.

    Unfold's Alpine.js evaluates the expressions in its templates. No page, the admin's
    included, may run an inline script or one from elsewhere.
    """

    def process_response(
        self, request: HttpRequest, response: HttpResponseBase
    ) -> HttpResponseBase:
        if request.path_info.startswith(reverse("admin:index")):
            response._csp_update = {  # type: ignore[attr-defined]
                "script-src": ["'unsafe-eval'"]
            }
        answered: HttpResponseBase = super().process_response(request, response)
        return answered


class PasswordChangeMiddleware:
    """Send a person with a one-time password to the page that replaces it.

    Nothing else of the admin opens until they have chosen their own.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if request.path_info.startswith(settings.API_PREFIX):
            return self.get_response(request)
        user = getattr(request, "user", None)
        if getattr(user, "must_change_password", False) and self._is_guarded(request):
            return redirect("admin:password_change")
        return self.get_response(request)

    @staticmethod
    def _is_guarded(request: HttpRequest) -> bool:
        open_paths = (
            reverse("admin:password_change"),
            reverse("admin:logout"),
            reverse("admin:jsi18n"),
        )
        path = request.path_info
        return path not in open_paths and not path.startswith(
            (settings.STATIC_URL, reverse("admin:second_factor"))
        )
