"""The admin site class; apps register on ``django.contrib.admin.site``, which is it."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.views import PasswordChangeView
from django.http import HttpRequest, HttpResponseBase
from django.urls import reverse
from unfold.sites import UnfoldAdminSite


class PlatformAdminSite(UnfoldAdminSite):  # type: ignore[misc]
    site_header = "Pixelated Empathy Platform"
    site_title = "Pixelated Empathy"
    index_title = "Governance"
    enable_nav_sidebar = True

    def password_change(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponseBase:
        """As unfold's, with the form that ends a one-time password."""
        from apps.accounts.forms import OwnPasswordForm

        request.current_app = self.name
        view = PasswordChangeView.as_view(
            form_class=OwnPasswordForm,
            success_url=reverse(f"{self.name}:password_change_done"),
            extra_context={**self.each_context(request), **(extra_context or {})},
        )
        return view(request)
