"""Manifests, added as JSON, and runs with their metrics; queue and cancel by POST."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString
from unfold.decorators import display
from unfold.widgets import UnfoldAdminTextareaWidget

from apps.accounts.screens import pretty_json
from apps.core.actors import Actor
from apps.models_registry import services
from apps.models_registry.admin.screens import (
    GovernedAdmin,
    ServiceAddAdmin,
    Step,
    table,
)
from apps.models_registry.models import MetricPoint, TrainingManifest, TrainingRun

State = TrainingRun.State
STATE_COLOURS = {
    State.QUEUED: "info",
    State.RUNNING: "warning",
    State.SUCCEEDED: "success",
    State.FAILED: "danger",
    State.CANCELLED: "default",
}


def _queue(actor: Actor, manifest_id: str, text: str) -> str:
    run = services.queue_run(actor=actor, manifest_id=manifest_id)
    return f"Queued as {run}."


def _cancel(actor: Actor, run_id: str, text: str) -> str:
    services.cancel_run(actor=actor, run_id=run_id)
    return "Cancelled: its worker stops at its next step."


class ManifestForm(forms.Form):
    document = forms.CharField(
        label="Manifest (JSON)", widget=UnfoldAdminTextareaWidget(attrs={"rows": 20})
    )

    def clean_document(self) -> object:
        try:
            return json.loads(self.cleaned_data["document"])
        except (ValueError, RecursionError) as error:
            raise forms.ValidationError(f"This is not JSON: {error}") from error


@admin.register(TrainingManifest)
class TrainingManifestAdmin(ServiceAddAdmin):
    add_form = ManifestForm
    add_permission = "models_registry.add_trainingmanifest"
    steps = (
        Step("queue", "Queue a run", "models_registry.queue_trainingrun", (), _queue),
    )
    list_display = ("short_digest", "model", "author", "created_at")
    list_select_related = ("model", "author")
    list_filter = ("model",)
    search_fields = ("digest",)
    fields = ("model", "digest", "author", "created_at", "content", "runs")
    readonly_fields = fields

    def create(self, actor: Actor, cleaned: dict[str, Any]) -> TrainingManifest:
        return services.create_manifest(actor=actor, document=cleaned["document"])

    @admin.display(description="Digest", ordering="digest")
    def short_digest(self, row: TrainingManifest) -> str:
        return row.digest[:19]

    @admin.display(description="Manifest")
    def content(self, row: TrainingManifest) -> SafeString:
        return pretty_json(row.document)

    @admin.display(description="Runs")
    def runs(self, row: TrainingManifest) -> SafeString:
        return table(
            ("Run", "State", "Queued"),
            (
                (run.pk, run.get_state_display(), run.created_at)
                for run in row.runs.all()
            ),
        )


def metrics_by_step(
    points: Iterable[MetricPoint],
) -> tuple[list[str], dict[int, dict[str, float]]]:
    """The names in order of first sight, and each step's values by name."""
    names: dict[str, None] = {}
    rows: dict[int, dict[str, float]] = {}
    for point in points:
        names.setdefault(point.name)
        rows.setdefault(point.step, {})[point.name] = point.value
    return list(names), dict(sorted(rows.items()))


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.4f}"


@admin.register(TrainingRun)
class TrainingRunAdmin(GovernedAdmin):
    steps = (
        Step(
            "cancel",
            "Cancel",
            "models_registry.cancel_trainingrun",
            ("queued", "running"),
            _cancel,
            is_main=False,
        ),
    )
    list_display = (
        "id", "model_name", "state_label", "step", "attempts", "requested_by",
        "created_at",
    )  # fmt: skip
    list_select_related = ("manifest__model", "requested_by")
    list_filter = ("state", "manifest__model")
    fields = (
        "manifest", "state", "step", "metrics", "attempts", "lease_owner",
        "heartbeat_at", "failure_code", "requested_by", "created_at", "finished_at",
        "checkpoints",
    )  # fmt: skip
    readonly_fields = fields

    def get_queryset(self, request: HttpRequest) -> QuerySet[TrainingRun]:
        rows: QuerySet[TrainingRun] = super().get_queryset(request)
        return rows.select_related("manifest__model", "requested_by")

    @admin.display(description="Model", ordering="manifest__model__name")
    def model_name(self, row: TrainingRun) -> str:
        return row.manifest.model.name

    @display(description="State", label=STATE_COLOURS, ordering="state")  # type: ignore[untyped-decorator]
    def state_label(self, row: TrainingRun) -> tuple[str, str]:
        return row.state, row.get_state_display()

    @admin.display(description="Metrics by step")
    def metrics(self, row: TrainingRun) -> SafeString | str:
        names, rows = metrics_by_step(row.metrics.all())
        shown = [
            (step, *(_number(values.get(name)) for name in names))
            for step, values in rows.items()
        ]
        return table(("Step", *names), shown) if shown else "No step yet."

    @admin.display(description="Checkpoints")
    def checkpoints(self, row: TrainingRun) -> SafeString:
        return table(
            ("Step", "Artifact"),
            ((kept.step, kept.artifact_id) for kept in row.checkpoints.all()),
        )
