"""What people fill in to make a dataset or hand in a file; the services judge it."""

from __future__ import annotations

from typing import Any

from django import forms
from django.conf import settings
from unfold.widgets import (
    UnfoldAdminFileFieldWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
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
