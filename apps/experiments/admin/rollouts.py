"""Rollouts on screen: arms, counts and intervals, and the steps that people may take.

Each step is one service call. The page offers what state and permission allow; the
service decides.
"""

from __future__ import annotations

import json
from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from unfold.decorators import display
from unfold.widgets import UnfoldAdminTextareaWidget

from apps.accounts.screens import pretty_json
from apps.approvals.evidence import readable
from apps.core.actors import Actor
from apps.experiments import services
from apps.experiments.models import Rollout, RolloutArm, ShadowComparison
from apps.experiments.selectors.rollouts import preview_of, rollout_digest, status_of
from apps.models_registry.admin.screens import (
    GovernedAdmin,
    ServiceAddAdmin,
    Step,
    table,
)

State = Rollout.State
STATE_COLOURS = {
    State.DRAFT: "default",
    State.SUBMITTED: "info",
    State.APPROVED: "info",
    State.REJECTED: "danger",
    State.RUNNING: "warning",
    State.COMPLETED: "success",
    State.STOPPED: "default",
    State.ROLLED_BACK: "danger",
}
HEADS = (
    "Guard", "Events", "Rate", "Interval", "Above control", "Interval", "Margin", "",
)  # fmt: skip
BAR = (
    '<svg width="160" height="14" role="img" aria-label="{}">'
    '<line x1="80" y1="0" x2="80" y2="14" stroke="currentColor" opacity="0.35"/>'
    '<line x1="{}" y1="0" x2="{}" y2="14" stroke="#dc2626" stroke-dasharray="2"/>'
    '<line x1="{}" y1="7" x2="{}" y2="7" stroke="currentColor" stroke-width="3"/>'
    '<circle cx="{}" cy="7" r="4" fill="currentColor"/></svg>'
)


def _submit(actor: Actor, row_id: str, text: str) -> str:
    services.submit_rollout(actor=actor, rollout_id=row_id, reason=text)
    return "Submitted: two people of different roles have to sign."


def _start(actor: Actor, row_id: str, text: str) -> str:
    services.start_rollout(actor=actor, rollout_id=row_id)
    return "Started at its first step."


def _step(actor: Actor, row_id: str, text: str) -> str:
    moved = services.step_rollout(actor=actor, rollout_id=row_id)
    return f"Now at step {moved.step + 1}."


def _stop(actor: Actor, row_id: str, text: str) -> str:
    services.stop_rollout(actor=actor, rollout_id=row_id, reason=text)
    return "Stopped: production answers everybody within a second."


def _complete(actor: Actor, row_id: str, text: str) -> str:
    reason = f"Rollout {row_id} passed its last step"
    services.complete_rollout(
        actor=actor, rollout_id=row_id, arm=text.strip(), reason=reason
    )
    return f"{text.strip()} is in production; the rollout is completed."


class PlanForm(forms.Form):
    plan = forms.CharField(
        label="Plan (JSON)",
        help_text="`manage.py rollout plan MODEL NUMBER` prints one to begin with.",
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 24}),
    )

    def clean_plan(self) -> object:
        try:
            return json.loads(self.cleaned_data["plan"])
        except (ValueError, RecursionError) as error:
            raise forms.ValidationError(f"This is not JSON: {error}") from error


@admin.register(Rollout)
class RolloutAdmin(ServiceAddAdmin):
    add_form = PlanForm
    add_permission = "experiments.add_rollout"
    steps = (
        Step("submit", "Submit for approval", "experiments.submit_rollout", ("draft",),
             _submit, "Reason"),
        Step("start", "Start", "experiments.start_rollout", ("approved",), _start),
        Step("step", "Next step", "experiments.step_rollout", ("running",), _step),
        Step("complete", "Promote an arm", "models_registry.promote_modelversion",
             ("running",), _complete, "Arm to promote"),
        Step("stop", "Stop now", "experiments.stop_rollout", ("running",), _stop,
             "Reason", is_main=False),
    )  # fmt: skip
    list_display = (
        "short_id", "model", "state_label", "step_number", "author", "started_at",
        "ended_at", "end_reason",
    )  # fmt: skip
    list_select_related = ("model", "author")
    list_filter = ("state", "model")
    fieldsets = (
        (None, {"fields": ("model", "state", "step_number", "standing", "end_reason")}),
        ("Arms", {"fields": ("arm_numbers", "shadow_numbers")}),
        ("What is signed for", {"fields": ("signed_for", "preview", "content")}),
        (
            "When and who",
            {
                "fields": (
                    "author", "created_at", "started_at", "step_started_at",
                    "watched_at", "ended_at",
                )
            },
        ),
    )  # fmt: skip
    readonly_fields = tuple(name for _, part in fieldsets for name in part["fields"])

    def get_queryset(self, request: HttpRequest) -> QuerySet[Rollout]:
        rows: QuerySet[Rollout] = super().get_queryset(request)
        return rows.select_related("model", "author").prefetch_related("arms__version")

    def create(self, actor: Actor, cleaned: dict[str, Any]) -> Rollout:
        return services.draft_rollout(actor=actor, document=cleaned["plan"])

    @admin.display(description="Rollout", ordering="pk")
    def short_id(self, row: Rollout) -> str:
        return str(row.pk)[:8]

    @display(description="State", label=STATE_COLOURS, ordering="state")  # type: ignore[untyped-decorator]
    def state_label(self, row: Rollout) -> tuple[str, str]:
        return row.state, row.get_state_display()

    @admin.display(description="Step", ordering="step")
    def step_number(self, row: Rollout) -> str:
        return f"{row.step + 1} of {len(row.plan['steps'])}"

    @admin.display(description="Waits for")
    def standing(self, row: Rollout) -> str:
        waits = _status(row).get("waits_for", [])
        return "; ".join(waits) or "nothing"

    @admin.display(description="Arms in this step, with intervals valid at any look")
    def arm_numbers(self, row: Rollout) -> SafeString:
        return format_html_join(
            "", "{}", ((_arm(arm),) for arm in _findings(row)["arms"])
        )

    @admin.display(description="Shadows in this step")
    def shadow_numbers(self, row: Rollout) -> SafeString | str:
        shadows = _findings(row)["shadows"]
        rows = [
            (arm, *(pairs[name] for name in pairs)) for arm, pairs in shadows.items()
        ]
        heads = (
            "Arm", "Compared", "Same reply", "Only the shadow refused",
            "Only the served one refused", "Failed",
        )  # fmt: skip
        return table(heads, rows) if rows else "None."

    @admin.display(description="Digest")
    def signed_for(self, row: Rollout) -> str:
        return rollout_digest(row)

    @admin.display(description="What it touches")
    def preview(self, row: Rollout) -> SafeString:
        return readable(preview_of(row))

    @admin.display(description="Plan")
    def content(self, row: Rollout) -> SafeString:
        return pretty_json(row.plan)


# Any: a JSON document, as the shell prints it.
def _status(row: Rollout) -> dict[str, Any]:
    """Read once a page, though several fields show parts of it."""
    kept: dict[str, Any] | None = getattr(row, "_status", None)
    if kept is None:
        kept = status_of(row)
        row._status = kept  # type: ignore[attr-defined]
    return kept


def _findings(row: Rollout) -> dict[str, Any]:
    found: dict[str, Any] = _status(row)["findings"]
    return found


def _arm(arm: dict[str, Any]) -> SafeString:
    return format_html(
        '<p class="font-semibold mt-3">{}: {} of traffic, {} units, {} requests, '
        "{} ms</p>{}",
        arm["name"],
        f"{arm['share']:.1%}",
        arm["units"],
        arm["requests"],
        f"{arm['latency_ms']:.1f}",
        table(HEADS, (_rate(rate) for rate in arm["rates"])),
    )


def _rate(rate: dict[str, Any]) -> tuple[object, ...]:
    shown = (
        rate["guard"],
        rate["events"],
        f"{rate['value']:.2%}",
        f"{rate['low']:.2%} to {rate['high']:.2%}",
    )
    if rate["change"] is None:
        return (*shown, "-", "-", "-", "")
    said = f"{rate['change_low']:+.2%} to {rate['change_high']:+.2%}"
    mark = "BREACH" if rate["breach"] else _bar(rate, said)
    return (*shown, f"{rate['change']:+.2%}", said, f"{rate['margin']:.2%}", mark)


def _bar(rate: dict[str, Any], said: str) -> SafeString:
    """The interval around no difference, with the margin as a dashed line."""
    reach = max(abs(rate["change_low"]), abs(rate["change_high"]), rate["margin"], 0.01)

    def at(value: float) -> str:
        return f"{80 + 76 * value / reach:.0f}"

    margin = at(rate["margin"])
    return format_html(
        BAR,
        said,
        margin,
        margin,
        at(rate["change_low"]),
        at(rate["change_high"]),
        at(rate["change"]),
    )


@admin.register(RolloutArm)
class RolloutArmAdmin(GovernedAdmin):
    list_display = ("name", "rollout", "version", "version_digest")
    list_select_related = ("rollout", "version")


@admin.register(ShadowComparison)
class ShadowComparisonAdmin(GovernedAdmin):
    list_display = (
        "created_at", "rollout", "step", "arm", "served_decision", "shadow_decision",
        "is_same_reply", "served_ms", "shadow_ms",
    )  # fmt: skip
    list_select_related = ("rollout",)
    list_filter = ("arm", "served_decision", "shadow_decision", "is_same_reply")
