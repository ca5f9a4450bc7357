"""What people fill in at the desk of data subjects; the services judge it."""

from __future__ import annotations

from django import forms
from unfold.widgets import (
    UnfoldAdminSelectWidget,
    UnfoldAdminSplitDateTimeWidget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
)

from apps.compliance.models import SubjectRequest


class SubjectRequestForm(forms.Form):
    """A request as it came in. What the person is called is digested, never stored."""

    kind = forms.ChoiceField(
        choices=SubjectRequest.Kind.choices, widget=UnfoldAdminSelectWidget
    )
    program = forms.CharField(
        max_length=24,
        widget=UnfoldAdminTextInputWidget,
        help_text="Prefix of any API key of the program the person uses.",
    )
    participant = forms.CharField(
        max_length=128,
        widget=UnfoldAdminTextInputWidget(attrs={"autocomplete": "off"}),
        help_text="What that program calls the person (participant_ref).",
    )
    received_at = forms.SplitDateTimeField(widget=UnfoldAdminSplitDateTimeWidget)
    reference = forms.CharField(
        max_length=80,
        required=False,
        widget=UnfoldAdminTextInputWidget,
        help_text="Where the letter is filed; never a name.",
    )


class SaidForm(forms.Form):
    """One sentence that is kept."""

    said = forms.CharField(
        label="Why or how", max_length=300, widget=UnfoldAdminTextareaWidget
    )
