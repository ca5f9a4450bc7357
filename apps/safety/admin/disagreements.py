"""Where gates and judges are far apart: scores, and a label for who was right."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import redirect
from unfold.decorators import action, display

from apps.accounts.permissions import actor_for_user
from apps.core.actors import Actor
from apps.core.errors import PlatformError
from apps.safety import services
from apps.safety.admin.screens import Step, StepAdmin
from apps.safety.forms import OutcomeForm
from apps.safety.models import JudgeDisagreement

State = JudgeDisagreement.State


@admin.register(JudgeDisagreement)
class JudgeDisagreementAdmin(StepAdmin):
    steps: ClassVar[Mapping[str, Step]] = {
        "review": Step(
            "Review",
            "safety.review_judgedisagreement",
            frozenset({State.OPEN}),
            OutcomeForm,
        ),
    }
    list_display = (
        "found_at", "gate", "judge", "gate_decision", "gate_shown", "judge_shown",
        "state_label", "outcome", "stage", "locale",
    )  # fmt: skip
    list_filter = ("state", "gate", "judge", "outcome", "stage")
    search_fields = ("id", "text_digest")
    fields = (
        "state", "outcome", "gate", "gate_decision", "gate_score", "judge",
        "judge_version", "judge_score", "distance", "stage", "locale", "found_at",
        "reviewed_by", "reviewed_at", "text_digest", "policy_digest",
    )  # fmt: skip
    readonly_fields = fields
    list_select_related = ("reviewed_by",)
    actions_list = ("export",)

    def take_step(
        self, verb: str, actor: Actor, row_id: str, cleaned: Mapping[str, object]
    ) -> str:
        services.review_disagreement(
            actor=actor, disagreement_id=row_id, outcome=str(cleaned["outcome"])
        )
        return "Reviewed."

    # Named as unfold's actions ask for it.
    def has_export_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("safety.export_judgedisagreement")

    @action(  # type: ignore[untyped-decorator]
        description="Export as JSON lines",
        permissions=["export"],
        url_path="export",
    )
    def export(self, request: HttpRequest) -> HttpResponse | StreamingHttpResponse:
        try:
            lines = services.export_disagreements(actor=actor_for_user(request.user))
        except PlatformError as error:
            messages.error(request, error.message)
            return redirect("admin:safety_judgedisagreement_changelist")
        return StreamingHttpResponse(
            (f"{line}\n" for line in lines),
            content_type="application/jsonl",
            headers={
                "Content-Disposition": 'attachment; filename="disagreements.jsonl"',
                "Cache-Control": "no-store",
            },
        )

    @display(  # type: ignore[untyped-decorator]
        description="State",
        label={State.OPEN: "warning", State.REVIEWED: "success"},
        ordering="state",
    )
    def state_label(self, row: JudgeDisagreement) -> tuple[str, str]:
        return row.state, row.get_state_display()

    @admin.display(description="Gate says", ordering="gate_score")
    def gate_shown(self, row: JudgeDisagreement) -> str:
        return f"{row.gate_score:.2f}"

    @admin.display(description="Judge says", ordering="judge_score")
    def judge_shown(self, row: JudgeDisagreement) -> str:
        return f"{row.judge_score:.2f}"
