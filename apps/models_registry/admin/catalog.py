"""Models, artifacts and reports, to be read; a model is registered by a form."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.utils.html import format_html
from django.utils.safestring import SafeString
from unfold.widgets import (
    UnfoldAdminSelectWidget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
)

from apps.core.actors import Actor
from apps.models_registry import services
from apps.models_registry.admin.screens import GovernedAdmin, ServiceAddAdmin, table
from apps.models_registry.models import Artifact, EvaluationReport, RegisteredModel


class RegisterForm(forms.Form):
    name = forms.CharField(max_length=60, widget=UnfoldAdminTextInputWidget)
    task = forms.ChoiceField(
        choices=RegisteredModel.Task.choices, widget=UnfoldAdminSelectWidget
    )
    description = forms.CharField(widget=UnfoldAdminTextareaWidget)


@admin.register(RegisteredModel)
class RegisteredModelAdmin(ServiceAddAdmin):
    add_form = RegisterForm
    add_permission = "models_registry.add_registeredmodel"
    list_display = ("name", "task", "owner", "created_at")
    list_select_related = ("owner",)
    list_filter = ("task",)
    search_fields = ("name",)
    readonly_fields = ("name", "task", "description", "owner", "created_at", "versions")
    fields = readonly_fields

    def create(self, actor: Actor, cleaned: dict[str, Any]) -> RegisteredModel:
        return services.register_model(actor=actor, **cleaned)

    @admin.display(description="Versions")
    def versions(self, row: RegisteredModel) -> SafeString:
        return table(
            ("Version", "State", "Made"),
            (
                (version.number, version.get_state_display(), version.created_at)
                for version in row.versions.order_by("-number")
            ),
        )


@admin.register(Artifact)
class ArtifactAdmin(GovernedAdmin):
    list_display = ("digest", "kind", "size_bytes", "created_at")
    list_filter = ("kind",)
    search_fields = ("digest",)


@admin.register(EvaluationReport)
class EvaluationReportAdmin(GovernedAdmin):
    list_display = ("evaluator", "evaluator_version", "version_label", "created_at")
    list_select_related = ("version__model",)
    list_filter = ("evaluator",)
    search_fields = ("digest", "dataset_digest")
    fields = (
        "version_label", "evaluator", "evaluator_version", "dataset_digest", "seed",
        "digest", "created_at", "numbers",
    )  # fmt: skip
    readonly_fields = fields

    @admin.display(description="Model version", ordering="version__number")
    def version_label(self, row: EvaluationReport) -> str:
        return f"{row.version.model.name}@{row.version.number}"

    @admin.display(description="Numbers, with 95 % intervals")
    def numbers(self, row: EvaluationReport) -> SafeString:
        return metrics_table(row)


def metrics_table(report: EvaluationReport) -> SafeString:
    """Every metric of a report, overall first as the evaluator gave them."""
    return table(
        ("Metric", "Slice", "Value", "Interval", "Count", "Better"),
        (
            (
                _named(metric),
                metric["slice"].rpartition("=")[2] or "all",
                "-" if metric["value"] is None else f"{metric['value']:.3f}",
                "-" if metric["low"] is None else _interval(metric),
                metric["count"],
                metric["direction"],
            )
            for metric in report.metrics
        ),
    )


def _interval(metric: dict[str, Any]) -> str:  # Any: a stored JSON metric
    return f"{metric['low']:.3f} to {metric['high']:.3f}"


def _named(metric: dict[str, Any]) -> SafeString | str:  # Any: a stored JSON metric
    if not metric["note"]:
        return str(metric["name"])
    words = '{}<br><span class="text-xs">{}</span>'
    return format_html(words, metric["name"], metric["note"])
