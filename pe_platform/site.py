"""The admin site class; apps register on ``django.contrib.admin.site``, which is it."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.views import PasswordChangeView
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.urls import reverse
from unfold.sites import UnfoldAdminSite


class ChosenPasswordView(PasswordChangeView):
    """Django's view; afterwards the landing page opens and says what happened."""

    # Any: Django's form.
    def form_valid(self, form: Any) -> HttpResponse:
        response = super().form_valid(form)
        messages.success(self.request, "Your password was changed.")
        return response


class PlatformAdminSite(UnfoldAdminSite):  # type: ignore[misc]
    site_header = "Pixelated Empathy Platform"
    site_title = "Pixelated Empathy"
    index_title = "Governance"
    enable_nav_sidebar = True

    def get_urls(self) -> list[Any]:
        """The theme's, after the pages of the second factor."""
        from apps.accounts import second_factor

        return [*second_factor.urls(), *super().get_urls()]

    def each_context(self, request: HttpRequest) -> dict[str, Any]:
        """The theme's, with the address of single sign-on where there is one."""
        shown: dict[str, Any] = super().each_context(request)
        shown["sso_url"] = reverse("sso-request") if settings.PE_OIDC_ISSUER else ""
        return shown

    def has_permission(self, request: HttpRequest) -> bool:
        """Whether this person may open any page; a half signed-in one may not.

        The middleware says so first, and more kindly; this holds without it.
        """
        from apps.accounts.second_factor import OPENED, standing

        return bool(super().has_permission(request)) and standing(request) == OPENED

    def password_change(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponseBase:
        """As unfold's, with the form that ends a one-time password."""
        from apps.accounts.forms import OwnPasswordForm

        request.current_app = self.name
        first = getattr(request.user, "must_change_password", False)
        title = "Choose a password of your own" if first else "Password change"
        view = ChosenPasswordView.as_view(
            form_class=OwnPasswordForm,
            success_url=reverse(f"{self.name}:index"),
            extra_context={
                **self.each_context(request),
                **(extra_context or {}),
                "title": title,
            },
        )
        return view(request)
