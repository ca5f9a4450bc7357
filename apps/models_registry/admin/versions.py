"""Model versions: reports, artifacts and lineage to read; steps to take by POST."""

from __future__ import annotations

from django.contrib import admin
from django.utils.html import format_html_join
from django.utils.safestring import SafeString
from unfold.decorators import display

from apps.accounts.screens import pretty_json
from apps.core.actors import Actor
from apps.models_registry import services
from apps.models_registry.admin.catalog import metrics_table
from apps.models_registry.admin.screens import GovernedAdmin, Step, table
from apps.models_registry.models import ModelVersion
from apps.models_registry.selectors import lineage_of, missing_reports, version_digest

State = ModelVersion.State
OPEN = tuple(state.value for state in ModelVersion.OPEN_STATES)
STATE_COLOURS = {
    State.DRAFT: "info",
    State.CANDIDATE: "info",
    State.SUBMITTED: "warning",
    State.APPROVED: "success",
    State.REJECTED: "danger",
    State.RETIRED: "default",
}


def _evaluate(actor: Actor, version_id: str, text: str) -> str:
    services.request_evaluation(actor=actor, version_id=version_id)
    return "Sent to the evaluation queue."


def _describe(actor: Actor, version_id: str, text: str) -> str:
    services.describe_version(actor=actor, version_id=version_id, card=text)
    return "The card was saved. Sign-offs under way are void if it changed."


def _submit(actor: Actor, version_id: str, text: str) -> str:
    services.submit_version(actor=actor, version_id=version_id, reason=text)
    return "Submitted: two people of different roles have to sign."


def _promote(actor: Actor, version_id: str, text: str) -> str:
    services.promote_version(actor=actor, version_id=version_id, reason=text)
    return "In production."


def _reopen(actor: Actor, version_id: str, text: str) -> str:
    services.reopen_version(actor=actor, version_id=version_id)
    return "A candidate again: change it, then submit it anew."


def _retire(actor: Actor, version_id: str, text: str) -> str:
    services.retire_version(actor=actor, version_id=version_id)
    return "Retired."


MAY_SUBMIT = "models_registry.submit_modelversion"
STEPS = (
    Step(
        "evaluate", "Evaluate", "models_registry.evaluate_modelversion", OPEN, _evaluate
    ),
    Step(
        "submit", "Submit for approval", MAY_SUBMIT, ("candidate",), _submit, "Reason"
    ),
    Step(
        "promote",
        "Promote to production",
        "models_registry.promote_modelversion",
        ("approved",),
        _promote,
        "Reason",
    ),
    Step(
        "reopen",
        "Reopen",
        MAY_SUBMIT,
        ("approved", "rejected"),
        _reopen,
        is_main=False,
    ),
    Step(
        "retire",
        "Retire",
        "models_registry.retire_modelversion",
        ("draft", "candidate", "approved", "rejected"),
        _retire,
        is_main=False,
    ),
    Step(
        "describe",
        "Save card",
        MAY_SUBMIT,
        OPEN,
        _describe,
        "Model card",
        lambda row: str(row.card),
        is_main=False,
    ),
)


REPORT = '<p class="font-semibold mb-1">{}</p><div class="mb-4">{}</div>'


@admin.register(ModelVersion)
class ModelVersionAdmin(GovernedAdmin):
    steps = STEPS
    list_display = ("model", "number", "state_label", "author", "created_at")
    list_display_links = ("model", "number")
    list_select_related = ("model", "author")
    list_filter = ("state", "model")
    search_fields = ("model__name",)
    fieldsets = (
        (
            None,
            {
                "fields": (
                    "model", "number", "state", "author", "created_at", "card",
                    "signed_for", "reports_missing",
                )
            },
        ),
        ("Reports", {"fields": ("reports",)}),
        ("Artifacts", {"fields": ("artifact_table", "adapter", "signature_json")}),
        ("Lineage", {"fields": ("lineage",)}),
    )  # fmt: skip
    readonly_fields = tuple(name for _, part in fieldsets for name in part["fields"])

    @display(description="State", label=STATE_COLOURS, ordering="state")  # type: ignore[untyped-decorator]
    def state_label(self, row: ModelVersion) -> tuple[str, str]:
        return row.state, row.get_state_display()

    @admin.display(description="Digest that is signed for")
    def signed_for(self, row: ModelVersion) -> str:
        return version_digest(row)

    @admin.display(description="Reports still missing")
    def reports_missing(self, row: ModelVersion) -> str:
        return ", ".join(missing_reports(row)) or "none"

    @admin.display(description="Reports")
    def reports(self, row: ModelVersion) -> SafeString | str:
        found = [(report, metrics_table(report)) for report in row.reports.all()]
        return format_html_join("", REPORT, found) or "Not evaluated yet."

    @admin.display(description="Artifacts")
    def artifact_table(self, row: ModelVersion) -> SafeString:
        return table(("File", "Digest"), sorted(row.artifacts.items()))

    @admin.display(description="Signature")
    def signature_json(self, row: ModelVersion) -> SafeString:
        return pretty_json(row.signature)

    @admin.display(description="Run, manifest and datasets")
    def lineage(self, row: ModelVersion) -> SafeString:
        found = lineage_of(row)
        return table(
            ("What", "Which"),
            [
                ("Run", found.run_id),
                ("Manifest", found.manifest_digest),
                ("Code revision", found.code_revision),
                *((f"Dataset: {part}", name) for part, name in found.datasets.items()),
            ],
        )
