"""Whether a session has shown its second factor, and the pages on which it does.

The mark in the session names the device that opened it: when somebody resets that
device, the mark names nothing and the session goes no further.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import segno
from django import forms
from django.conf import settings
from django.contrib.admin.views.decorators import staff_member_required
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.debug import sensitive_post_parameters
from unfold.widgets import UnfoldAdminTextInputWidget

from apps.accounts import services
from apps.accounts.models import Authenticator, User
from apps.accounts.permissions import actor_for_user
from apps.accounts.reauthentication import Reauthenticated
from apps.accounts.screens import posted
from apps.core.errors import PlatformError

MARK = "second_factor"
# A session that the identity provider vouched for (the `amr` claim).
BY_PROVIDER = "provider"
OPENED, ASKED, TO_ENROL = "opened", "asked", "to enrol"


def standing(request: HttpRequest) -> str:
    """OPENED, ASKED (a code is due) or TO_ENROL, for the person who is signed in."""
    user, mark = request.user, request.session.get(MARK)
    if not isinstance(user, User):
        return OPENED
    known = getattr(request, "_second_factor", None)
    if known is None or known[0] != mark:
        known = (mark, _standing(user, mark))
        request._second_factor = known  # type: ignore[attr-defined]
    return str(known[1])


# Any: what a session holds.
def _standing(user: User, mark: Any) -> str:
    device = Authenticator.objects.filter(user=user, confirmed_at__isnull=False).first()
    if mark == BY_PROVIDER or (device and mark == str(device.pk)):
        return OPENED
    if device:
        return ASKED
    return TO_ENROL if settings.PE_STAFF_MFA == "required" else OPENED


class CodeForm(forms.Form):
    """A code of six digits, or a spare one."""

    code = forms.CharField(
        max_length=20,
        widget=UnfoldAdminTextInputWidget(
            attrs={
                "autocomplete": "one-time-code",
                "autofocus": True,
                "autocapitalize": "off",
            }
        ),
        help_text="Six digits from your authenticator app, or one of your recovery "
        "codes.",
    )


def ask_view(request: HttpRequest) -> HttpResponse:
    """The page on which a signed-in person shows their second factor."""
    if standing(request) == TO_ENROL:
        return redirect("admin:second_factor_enrol")
    form = CodeForm(posted(request))
    if request.method == "POST" and form.is_valid():
        try:
            actor = actor_for_user(request.user)
            if services.check_code(actor=actor, code=form.cleaned_data["code"]):
                return _open_session(request)
            form.add_error("code", "This code is not right, or was used already.")
        except PlatformError as error:
            form.add_error(None, error.message)
    return _page(request, "ask", "Your second factor", form=form)


def enrol_view(request: HttpRequest) -> HttpResponse:
    """Scan, prove, keep the spare codes; nothing is written before the first press."""
    actor = actor_for_user(request.user)
    may_leave = standing(request) == OPENED
    if request.method != "POST":
        return _page(request, "enrol", "Set up a second factor", may_leave=may_leave)
    form = CodeForm(request.POST if "code" in request.POST else None)
    shown: dict[str, Any] = {"form": form, "may_leave": may_leave}
    try:
        if not form.is_bound:
            enrolment = services.begin_enrolment(actor=actor)
            image = segno.make(enrolment.uri, error="m")
            shown |= {
                "secret": enrolment.secret,
                "image": image.svg_data_uri(scale=5, border=2, light="white"),
            }
        elif form.is_valid():
            codes = services.confirm_enrolment(
                actor=actor, code=form.cleaned_data["code"]
            )
            _mark(request)
            return _page(request, "codes", "Your recovery codes", codes=codes)
    except PlatformError as error:
        shown["refusal"] = error.message
    return _page(request, "enrol", "Set up a second factor", **shown)


def renew_view(request: HttpRequest) -> HttpResponse:
    """New recovery codes, after asking again who is there."""
    user = request.user
    if standing(request) != OPENED or not isinstance(user, User):
        return redirect("admin:second_factor")
    if not Authenticator.objects.filter(user=user, confirmed_at__isnull=False).exists():
        return redirect("admin:second_factor_enrol")
    form = Reauthenticated(request, posted(request))
    if request.method == "POST" and form.is_valid():
        codes = services.renew_recovery_codes(actor=actor_for_user(user))
        return _page(request, "codes", "Your recovery codes", codes=codes)
    left = user.recovery_codes.filter(used_at=None).count()
    return _page(request, "renew", "Recovery codes", form=form, left=left)


def _mark(request: HttpRequest) -> None:
    device = Authenticator.objects.get(user_id=str(request.user.pk))
    request.session.cycle_key()
    request.session[MARK] = str(device.pk)


def _open_session(request: HttpRequest) -> HttpResponse:
    _mark(request)
    return HttpResponseRedirect(_next(request))


def _next(request: HttpRequest) -> str:
    wanted = request.GET.get("next", "")
    allowed = url_has_allowed_host_and_scheme(
        wanted, {request.get_host()}, require_https=request.is_secure()
    )
    return wanted if allowed else reverse("admin:index")


def _page(
    request: HttpRequest, name: str, title: str, **shown: object
) -> TemplateResponse:
    from django.contrib import admin

    context = {**admin.site.each_context(request), "title": title, **shown}
    template = f"admin/accounts/second_factor_{name}.html"
    response = TemplateResponse(request, template, context)
    response["Cache-Control"] = "no-store"
    return response


View = Callable[[HttpRequest], HttpResponse]
PAGES: tuple[tuple[str, str, View], ...] = (
    ("second-factor/", "second_factor", ask_view),
    ("second-factor/enrol/", "second_factor_enrol", enrol_view),
    ("second-factor/recovery-codes/", "second_factor_renew", renew_view),
)


def urls() -> list[URLPattern]:
    """For the admin site; open to who is signed in but has not shown the factor."""
    hidden = sensitive_post_parameters("code", "password")
    return [
        path(route, staff_member_required(hidden(view)), name=name)
        for route, name, view in PAGES
    ]
