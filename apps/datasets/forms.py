"""What people fill in to make a dataset or hand in a file; the services judge it."""

from __future__ import annotations

from typing import Any

from django import forms
from django.conf import settings
from unfold.widgets import (
    UnfoldAdminFileFieldWidget,
    UnfoldAdminIntegerFieldWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
    UnfoldBooleanSwitchWidget,
)

from apps.datasets.contracts import FileFormat
from apps.datasets.models import Dataset, DatasetVersion


class DatasetForm(forms.Form):
    """A new dataset."""

    name = forms.CharField(
        max_length=60,
        widget=UnfoldAdminTextInputWidget,
        help_text="Small letters, digits and hyphens; it is never changed.",
    )
    title = forms.CharField(max_length=120, widget=UnfoldAdminTextInputWidget)
    purpose = forms.CharField(
        widget=UnfoldAdminTextareaWidget, help_text="What it may be used for."
    )
    licence = forms.ChoiceField(widget=UnfoldAdminSelectWidget)
    schema = forms.JSONField(
        widget=UnfoldAdminTextareaWidget,
        help_text='{"fields": [{"name", "type", "required", "allowed", "max_length"}], '
        '"roles": {"id", "text", "label", "subgroup", "split", "licence"}}',
    )

    # Any: what Django passes to every form.
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        accepted = [(name, name) for name in settings.PE_DATASET_LICENCES]
        self.fields["licence"].choices = accepted  # type: ignore[attr-defined]


class VersionChoiceField(forms.ModelChoiceField):  # type: ignore[type-arg]
    """Versions by the name of their dataset."""

    def label_from_instance(self, obj: Any) -> str:
        return f"{obj.dataset.name} version {obj.number}"


class IngestForm(forms.Form):
    """A file that becomes the next version of a dataset."""

    dataset = forms.ModelChoiceField(
        Dataset.objects.all(), widget=UnfoldAdminSelectWidget
    )
    file = forms.FileField(
        widget=UnfoldAdminFileFieldWidget,
        help_text="JSON lines, or CSV with a header line; UTF-8.",
    )
    file_format = forms.ChoiceField(
        label="Format",
        choices=[(kind.value, kind.value.upper()) for kind in FileFormat],
        widget=UnfoldAdminSelectWidget,
    )
    parent = VersionChoiceField(
        DatasetVersion.objects.select_related("dataset"),
        required=False,
        widget=UnfoldAdminSelectWidget,
        label="Made from version",
        help_text="Where this content comes from another version, that version.",
    )


class GrantForm(forms.Form):
    """Access of a program to rows; two people sign for what is written here."""

    version = VersionChoiceField(
        DatasetVersion.objects.filter(state="frozen").select_related("dataset"),
        widget=UnfoldAdminSelectWidget,
    )
    program = forms.CharField(
        max_length=24,
        widget=UnfoldAdminTextInputWidget,
        help_text="Prefix of one of the program's API keys; scope datasets:read.",
    )
    purpose = forms.CharField(
        max_length=2000,
        widget=UnfoldAdminTextareaWidget,
        help_text="What the rows will be used for, in 20 characters or more.",
    )
    columns = forms.CharField(
        max_length=2000,
        required=False,
        widget=UnfoldAdminTextInputWidget,
        help_text="Names with commas between them; empty: every column.",
    )
    where = forms.JSONField(
        required=False,
        widget=UnfoldAdminTextareaWidget,
        help_text='Rows to be given, such as {"split": "train"}; empty: all rows.',
    )
    shows_identifiers = forms.BooleanField(
        required=False,
        widget=UnfoldBooleanSwitchWidget,
        help_text="Give identifiers as they are. Leave it off unless the purpose asks.",
    )
    days = forms.IntegerField(
        min_value=1,
        max_value=366,
        initial=30,
        widget=UnfoldAdminIntegerFieldWidget,
        help_text="Days it is open, from the last signature on.",
    )

    def clean_columns(self) -> tuple[str, ...]:
        names = self.cleaned_data["columns"].split(",")
        return tuple(name.strip() for name in names if name.strip())


class RevokeForm(forms.Form):
    """Why a grant ends."""

    because = forms.CharField(max_length=300, widget=UnfoldAdminTextareaWidget)
