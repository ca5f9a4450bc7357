"""How long a staff session lives, and what it must have shown before it goes on.

API requests carry no session and pass by. Everything else of a signed-in person meets
both, whichever view it is for, so that no page can forget to ask.
"""

from __future__ import annotations

import time
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import logout
from django.contrib.auth.signals import user_logged_in
from django.dispatch import receiver
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse

from apps.accounts.second_factor import ASKED, OPENED, standing
from pe_platform.middleware import GetResponse

SIGNED_IN, SEEN = "signed_in_at", "seen_at"
# How old `seen_at` may grow before it is written again (seconds).
SEEN_EVERY_S = 60
# A page that asks by itself whether something is new does not keep a session alive.
POLLING = "HTTP_X_POLLING"


# Any: what Django sends with the signal.
@receiver(user_logged_in)
def note_sign_in(request: HttpRequest, **_: Any) -> None:
    """Stamp the session, whichever way somebody signed in."""
    request.session[SIGNED_IN] = request.session[SEEN] = time.time()


def _is_staff_page(request: HttpRequest) -> bool:
    path = request.path_info
    return not path.startswith((*settings.API_PREFIX, settings.STATIC_URL)) and bool(
        getattr(getattr(request, "user", None), "is_authenticated", False)
    )


class SessionLimitsMiddleware:
    """End a session that idles, or that is as old as a working day."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if _is_staff_page(request) and self._is_over(request):
            logout(request)
            messages.info(request, "Your session ended. Sign in again to go on.")
            back = request.get_full_path() if request.method == "GET" else ""
            return redirect(f"{reverse('admin:login')}?{urlencode({'next': back})}")
        return self.get_response(request)

    @staticmethod
    def _is_over(request: HttpRequest) -> bool:
        now, session = time.time(), request.session
        # A session that does not say when it began is over.
        if now - session.get(SIGNED_IN, 0.0) > settings.PE_SESSION_MAX_S:
            return True
        if now - session.get(SEEN, 0.0) > settings.PE_SESSION_IDLE_S:
            return True
        if now - session[SEEN] > SEEN_EVERY_S and POLLING not in request.META:
            session[SEEN] = now
        return False


class SecondFactorMiddleware:
    """Send a session that has not shown its second factor to the page that asks."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if not _is_staff_page(request) or is_open_without(request):
            return self.get_response(request)
        found = standing(request)
        if found == OPENED:
            return self.get_response(request)
        name = "second_factor" if found == ASKED else "second_factor_enrol"
        back = request.get_full_path() if request.method == "GET" else ""
        return redirect(f"{reverse(f'admin:{name}')}?{urlencode({'next': back})}")


def is_open_without(request: HttpRequest) -> bool:
    """Pages for who is signed in, but not all the way: the factor's own, and out."""
    open_paths = (reverse("admin:logout"), reverse("admin:jsi18n"))
    path = request.path_info
    return path in open_paths or path.startswith(reverse("admin:second_factor"))
