"""Asking again who is there, before an act that cannot be taken back.

A form that mixes this in wants the person's password, or a code of their authenticator,
each time: a screen left open must not be able to sign, read or give out a key.
"""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib.auth import authenticate
from django.http import HttpRequest
from unfold.widgets import UnfoldAdminPasswordWidget

from apps.accounts.models import User
from apps.accounts.permissions import actor_for_user
from apps.accounts.services import check_code
from apps.core.errors import PlatformError


class Reauthenticated(forms.Form):
    """Adds the proof as the last field; it is checked and forgotten."""

    password = forms.CharField(
        label="Your password, again",
        strip=False,
        widget=UnfoldAdminPasswordWidget(attrs={"autocomplete": "current-password"}),
        help_text="Or a code that your authenticator shows now.",
    )

    # Any: what Django passes to every form.
    def __init__(self, request: HttpRequest, *args: Any, **kwargs: Any) -> None:
        self.request = request
        super().__init__(*args, **kwargs)
        self.order_fields([name for name in self.fields if name != "password"])

    def clean(self) -> dict[str, Any]:
        """The cleaned data without the proof; wrong ones count for the lockout.

        Judged only when the rest can be used: a code opens once.
        """
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        given = cleaned.pop("password", "")
        if not self.errors and not self._is_them(given):
            self.add_error(
                "password",
                forms.ValidationError("This is not your password.", code="password"),
            )
        return cleaned

    def _is_them(self, given: str) -> bool:
        user = self.request.user
        if not isinstance(user, User):
            return False
        compact = given.replace(" ", "")
        if compact.isdigit() and len(compact) == 6:
            try:
                return check_code(actor=actor_for_user(user), code=compact)
            except PlatformError as error:
                self.add_error("password", error.message)
                return True
        found = authenticate(self.request, username=user.get_username(), password=given)
        return found is not None and found.pk == user.pk
