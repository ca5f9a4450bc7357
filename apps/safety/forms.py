"""What people fill in on the safety screens; the services judge it."""

from __future__ import annotations

import json
from typing import Any

from django import forms
from django.db.models import Q
from unfold.widgets import (
    UnfoldAdminSelectWidget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
)

from apps.accounts.models import User
from apps.accounts.reauthentication import Reauthenticated
from apps.safety.models import Escalation, JudgeDisagreement, SafetyPolicy
from apps.safety.policy import default_document
from apps.safety.selectors import document_in_force
from apps.safety.services.texts import LEAST_REASON, MOST_REASON


class ReadableJSONField(forms.JSONField):
    """JSON as people edit it: indented."""

    # Any: a JSON value, or what a person typed.
    def prepare_value(self, value: Any) -> Any:
        if isinstance(value, dict | list):
            return json.dumps(value, indent=2, ensure_ascii=False)
        return super().prepare_value(value)


def document_to_start_from() -> object:
    """The document in force under the default name, or the one that ships."""
    return document_in_force("default") or default_document()


class PolicyForm(forms.Form):
    """A new version of a policy, as a draft."""

    name = forms.SlugField(
        max_length=60,
        initial="default",
        widget=UnfoldAdminTextInputWidget,
        help_text="An existing name makes its next version.",
    )
    document = ReadableJSONField(
        initial=document_to_start_from,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 30}),
        help_text="Gates in order with thresholds, texts and contacts by locale. The "
        "document in force is filled in.",
    )


class SubmitForm(forms.Form):
    reason = forms.CharField(
        max_length=500,
        widget=UnfoldAdminTextInputWidget(attrs={"placeholder": "Why this policy"}),
    )


class VersionForm(forms.Form):
    """Another version of a policy to compare with."""

    other = forms.ModelChoiceField(
        SafetyPolicy.objects.none(), label="With", widget=UnfoldAdminSelectWidget
    )

    # Any: what Django passes to every form.
    def __init__(self, row: SafetyPolicy, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        others = SafetyPolicy.objects.filter(name=row.name).exclude(pk=row.pk)
        self.fields["other"].queryset = others  # type: ignore[attr-defined]


class ReasonForm(Reauthenticated):
    """Why somebody has to read what a person said."""

    reason = forms.CharField(
        min_length=LEAST_REASON,
        max_length=MOST_REASON,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 3}),
        help_text="Kept in the audit log under your name, before the text is shown. "
        "Do not quote the person.",
    )


class PeriodForm(forms.Form):
    """Days of a referral report (UTC, both in) and the form it is wanted in."""

    first = forms.DateField(
        label="From", widget=UnfoldAdminTextInputWidget(attrs={"type": "date"})
    )
    last = forms.DateField(
        label="To", widget=UnfoldAdminTextInputWidget(attrs={"type": "date"})
    )
    format = forms.ChoiceField(
        choices=[("csv", "CSV"), ("json", "JSON")], widget=UnfoldAdminSelectWidget
    )


class DispositionForm(forms.Form):
    disposition = forms.ChoiceField(
        choices=[("", "How did it end?"), *Escalation.Disposition.choices],
        widget=UnfoldAdminSelectWidget,
    )


class ResponderForm(forms.Form):
    """Somebody who may answer escalations."""

    responder = forms.ModelChoiceField(
        User.objects.none(), widget=UnfoldAdminSelectWidget
    )

    # Any: what Django passes to every form.
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        answering = Q(groups__permissions__codename="acknowledge_escalation")
        self.fields["responder"].queryset = (  # type: ignore[attr-defined]
            User.objects.filter(answering, is_active=True).distinct()
        )


class OutcomeForm(forms.Form):
    """Who was right, the gate or the judge."""

    outcome = forms.ChoiceField(
        choices=JudgeDisagreement.Outcome.choices, widget=UnfoldAdminSelectWidget
    )
