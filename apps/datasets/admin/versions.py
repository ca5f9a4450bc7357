"""Dataset versions: hand in a file, then take one step after another.

Steps are POST only, each is one service call, and the page offers those that the state
and the person's permissions allow. The state itself can be edited nowhere.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.views.decorators.http import require_POST
from unfold.decorators import display

from apps.accounts.permissions import actor_for_user
from apps.accounts.screens import pretty_json
from apps.core.actors import Actor
from apps.core.errors import PlatformError
from apps.datasets import services
from apps.datasets.admin.screens import ServiceAddAdmin
from apps.datasets.contracts import FileFormat
from apps.datasets.forms import IngestForm
from apps.datasets.lifecycle import MAY
from apps.datasets.models import DatasetVersion
from apps.datasets.selectors import latest_report

State = DatasetVersion.State
STATE_COLOURS = {
    State.INGESTED: "info",
    State.VALIDATED: "info",
    State.QUARANTINED: "danger",
    State.SUBMITTED: "warning",
    State.APPROVED: "success",
    State.FROZEN: "success",
    State.RETIRED: "default",
}
STEP_LABELS = {
    "validate": "Validate",
    "submit": "Submit for approval",
    "freeze": "Freeze",
    "retire": "Retire",
}
NEEDS_REASON = frozenset({"submit", "retire"})


def take_step(verb: str, actor: Actor, version_id: str, reason: str) -> str:
    """Call the service of a verb; what came of it, in words."""
    if verb == "validate":
        report = services.validate_version(actor=actor, version_id=version_id)
        return "Validation passed." if report.passed else "Errors found: quarantined."
    if verb == "submit":
        services.submit_version(actor=actor, version_id=version_id, reason=reason)
        return "Submitted: two people of different roles have to sign."
    if verb == "freeze":
        services.freeze_version(actor=actor, version_id=version_id)
        return "Frozen: manifests may name its digest now."
    services.retire_version(actor=actor, version_id=version_id, reason=reason)
    return "Retired: no new manifest may name it."


def step_action(verb: str) -> Callable[..., None]:
    """A list action that takes one step with each selected version."""

    def act(
        model_admin: DatasetVersionAdmin,
        request: HttpRequest,
        queryset: QuerySet[DatasetVersion],
    ) -> None:
        for version in queryset:
            model_admin.step_and_tell(request, verb, str(version.pk), "")

    act.__name__ = f"{verb}_versions"
    return admin.action(description=STEP_LABELS[verb], permissions=[verb])(act)


@admin.register(DatasetVersion)
class DatasetVersionAdmin(ServiceAddAdmin):
    add_form = IngestForm
    add_permission = "datasets.ingest_datasetversion"
    add_title = "Ingest a dataset version"
    list_display = (
        "dataset", "number", "state_label", "row_count", "author", "created_at",
        "short_digest",
    )  # fmt: skip
    list_display_links = ("dataset", "number")
    list_select_related = ("dataset", "author")
    list_filter = ("state", "dataset")
    search_fields = ("dataset__name", "digest")
    actions = tuple(step_action(verb) for verb in ("validate", "submit", "freeze"))
    fieldsets = (
        (
            None,
            {
                "fields": (
                    "dataset", "number", "state", "row_count", "findings", "reports",
                    "author", "created_at", "parent",
                )
            },
        ),
        (
            "Content",
            {"fields": ("digest", "source_digest", "size_bytes", "row_schema")},
        ),
        (
            "Frozen and retired",
            {
                "fields": (
                    "frozen_by", "frozen_at", "retired_by", "retired_at",
                    "retired_because",
                )
            },
        ),
    )  # fmt: skip
    readonly_fields = tuple(name for _, part in fieldsets for name in part["fields"])
    change_form_outer_before_template = "admin/datasets/steps.html"

    def create(self, actor: Actor, cleaned: dict[str, Any]) -> DatasetVersion:
        return services.ingest_version(
            actor=actor,
            dataset=cleaned["dataset"],
            source=cleaned["file"],
            file_format=FileFormat(cleaned["file_format"]),
            parent=cleaned["parent"],
        )

    # One method a verb: Django asks for has_VERB_permission before it lists an action.
    def has_validate_permission(self, request: HttpRequest) -> bool:
        return self._may(request, "validate")

    def has_submit_permission(self, request: HttpRequest) -> bool:
        return self._may(request, "submit")

    def has_freeze_permission(self, request: HttpRequest) -> bool:
        return self._may(request, "freeze")

    def _may(self, request: HttpRequest, verb: str) -> bool:
        return request.user.has_perm(f"datasets.{verb}_datasetversion")

    def get_urls(self) -> list[URLPattern]:
        step = self.admin_site.admin_view(require_POST(self.step_view))
        own = path(
            "<uuid:version_id>/step/<slug:verb>/", step, name="datasets_version_step"
        )
        return [own, *super().get_urls()]

    def step_view(
        self, request: HttpRequest, version_id: object, verb: str
    ) -> HttpResponse:
        if verb in STEP_LABELS:
            reason = request.POST.get("reason", "")
            self.step_and_tell(request, verb, str(version_id), reason)
        page = reverse("admin:datasets_datasetversion_change", args=[version_id])
        return HttpResponseRedirect(page)

    def step_and_tell(
        self, request: HttpRequest, verb: str, version_id: str, reason: str
    ) -> None:
        """Take the step; a refusal is a message, never a crash."""
        try:
            actor = actor_for_user(request.user)
            done = take_step(verb, actor, version_id, reason)
        except PlatformError as error:
            messages.error(request, error.message)
        else:
            messages.success(request, done)

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, object] | None = None,
    ) -> HttpResponse:
        version = self.get_object(request, object_id)
        steps = [
            {"verb": verb, "label": label, "needs_reason": verb in NEEDS_REASON}
            for verb, label in STEP_LABELS.items()
            if version and version.state in MAY[verb] and self._may(request, verb)
        ]
        context = {**(extra_context or {}), "steps": steps}
        response: HttpResponse = super().change_view(
            request, object_id, form_url, context
        )
        return response

    @display(description="State", label=STATE_COLOURS, ordering="state")  # type: ignore[untyped-decorator]
    def state_label(self, row: DatasetVersion) -> tuple[str, str]:
        return row.state, row.get_state_display()

    @admin.display(description="Digest", ordering="digest")
    def short_digest(self, row: DatasetVersion) -> str:
        return row.digest[:19]

    @admin.display(description="Schema of a row")
    def row_schema(self, row: DatasetVersion) -> SafeString:
        return pretty_json(row.schema)

    @admin.display(description="Findings of the last validation")
    def findings(self, row: DatasetVersion) -> SafeString | str:
        report = latest_report(row)
        if report is None:
            return "Not validated yet."
        lines = [
            (
                found.severity,
                found.code,
                found.count,
                ", ".join(str(locator) for locator in found.locators) or "-",
            )
            for found in report.findings.all()
        ]
        if not lines:
            return "Nothing was found."
        return format_html(
            "<table><thead><tr>{}</tr></thead><tbody>{}</tbody></table>",
            format_html_join(
                "",
                '<th class="pr-6 text-left">{}</th>',
                [("Severity",), ("Code",), ("Count",), ("First rows",)],
            ),
            format_html_join(
                "",
                '<tr><td class="pr-6">{}</td><td class="pr-6">{}</td>'
                '<td class="pr-6">{}</td><td>{}</td></tr>',
                lines,
            ),
        )

    @admin.display(description="Validations")
    def reports(self, row: DatasetVersion) -> int:
        return row.reports.count()
