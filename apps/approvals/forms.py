"""What a signer fills in; who they are is asked for again."""

from __future__ import annotations

from django import forms
from unfold.widgets import (
    UnfoldAdminRadioSelectWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextareaWidget,
)

from apps.accounts.reauthentication import Reauthenticated

MEANINGS = (
    "I reviewed the evidence and answer for this decision",
    "I reviewed the clinical content and answer for this decision",
    "I reviewed compliance and answer for this decision",
)
DECISIONS = (("approve", "Approve"), ("reject", "Reject"))


class SignForm(Reauthenticated):
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


class WithdrawForm(forms.Form):
    """Nothing to fill in: the page says what will happen."""
