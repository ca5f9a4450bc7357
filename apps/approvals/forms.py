"""What a signer fills in. The password is asked for again: a screen left open must not
be able to sign."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib.auth import authenticate
from django.http import HttpRequest
from unfold.widgets import (
    UnfoldAdminPasswordWidget,
    UnfoldAdminRadioSelectWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextareaWidget,
)

MEANINGS = (
    "I reviewed the evidence and answer for this decision",
    "I reviewed the clinical content and answer for this decision",
    "I reviewed compliance and answer for this decision",
)
DECISIONS = (("approve", "Approve"), ("reject", "Reject"))


class SignForm(forms.Form):
    """One sign-off."""

    decision = forms.ChoiceField(choices=DECISIONS, widget=UnfoldAdminRadioSelectWidget)
    meaning = forms.ChoiceField(
        label="What your signature means",
        choices=[(meaning, meaning) for meaning in MEANINGS],
        widget=UnfoldAdminSelectWidget,
    )
    reason = forms.CharField(
        max_length=4000,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 4}),
        help_text="Why; it is kept with the signature.",
    )
    password = forms.CharField(
        label="Your password, again",
        strip=False,
        widget=UnfoldAdminPasswordWidget(attrs={"autocomplete": "current-password"}),
    )

    # Any: what Django passes to every form.
    def __init__(self, request: HttpRequest, *args: Any, **kwargs: Any) -> None:
        self.request = request
        super().__init__(*args, **kwargs)

    def clean_password(self) -> None:
        """The password is checked and forgotten; wrong ones count for the lockout."""
        user = self.request.user
        found = authenticate(
            self.request,
            username=user.get_username(),
            password=self.cleaned_data["password"],
        )
        if found is None or found.pk != user.pk:
            raise forms.ValidationError("This is not your password.", code="password")


class WithdrawForm(forms.Form):
    """Nothing to fill in: the page says what will happen."""
