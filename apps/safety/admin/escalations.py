"""The crisis desk: what waits, how urgent, by when; take it, hand it over, close it.

It shows identifiers, levels and reason codes. What the person said is not here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any, ClassVar, cast

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Case, QuerySet, When
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import URLPattern, path
from django.utils import timezone
from django.utils.html import format_html
from django.utils.timesince import timesince, timeuntil
from unfold.admin import TabularInline
from unfold.decorators import display

from apps.accounts.models import User
from apps.accounts.permissions import actor_for_user
from apps.core.actors import Actor
from apps.core.errors import PlatformError
from apps.safety import services
from apps.safety.admin.glass import GlassPages
from apps.safety.admin.referrals import ReferralPages
from apps.safety.admin.screens import Step, StepAdmin, warn_of_stale_contacts
from apps.safety.forms import DispositionForm, ResponderForm
from apps.safety.models import (
    Escalation,
    EscalationStep,
    EscalationText,
    NotificationAttempt,
)
from apps.safety.selectors import desk_state

State = Escalation.State
LEVEL_COLOURS = {
    Escalation.Level.IMMINENT: "danger",
    Escalation.Level.HIGH: "danger",
    Escalation.Level.MODERATE: "warning",
    Escalation.Level.LOW: "info",
    Escalation.Level.NONE: "default",
}
STATE_COLOURS = {
    State.OPEN: "danger",
    State.ACKNOWLEDGED: "warning",
    State.RESOLVED: "success",
}

# Open cases, then those somebody has taken, then what is over.
WHO_WAITS_FIRST = Case(
    When(state=State.OPEN, then=0), When(state=State.ACKNOWLEDGED, then=1), default=2
)


class ReadOnlyInline(TabularInline):  # type: ignore[misc]
    extra = 0
    can_delete = False
    hide_title = True

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class StepInline(ReadOnlyInline):
    model = EscalationStep
    fields = ("at", "kind", "rung", "actor_label", "details_text")
    readonly_fields = fields

    @admin.display(description="Details")
    def details_text(self, row: EscalationStep) -> str:
        return ", ".join(f"{key} {value}" for key, value in row.details.items()) or "-"


class AttemptInline(ReadOnlyInline):
    """The delivery log: who was told, through what, and what came of it."""

    model = NotificationAttempt
    verbose_name_plural = "Delivery log"
    fields = (
        "due_at", "at", "rung", "channel", "responder", "attempt", "outcome", "status",
    )  # fmt: skip
    readonly_fields = fields
    ordering = ("due_at", "id")

    def get_queryset(self, request: HttpRequest) -> QuerySet[NotificationAttempt]:
        rows: QuerySet[NotificationAttempt] = super().get_queryset(request)
        return rows.select_related("responder")


@admin.register(Escalation)
class EscalationAdmin(GlassPages, ReferralPages, StepAdmin):
    steps: ClassVar[Mapping[str, Step]] = {
        "acknowledge": Step(
            "Acknowledge",
            "safety.acknowledge_escalation",
            frozenset({State.OPEN}),
        ),
        "resolve": Step(
            "Resolve",
            "safety.resolve_escalation",
            frozenset({State.ACKNOWLEDGED}),
            DispositionForm,
        ),
        "reassign": Step(
            "Reassign",
            "safety.reassign_escalation",
            frozenset({State.OPEN, State.ACKNOWLEDGED}),
            ResponderForm,
        ),
    }
    list_display = (
        "level_label", "state_label", "due", "assigned_to", "locale", "opened_at",
        "disposition",
    )  # fmt: skip
    list_select_related = ("assigned_to",)
    list_filter = ("state", "level", "locale", "disposition")
    list_before_template = "admin/safety/watch.html"
    search_fields = ("id", "correlation_id")
    ordering = (WHO_WAITS_FIRST, "due_at")
    actions = ("acknowledge_escalations",)
    fields = (
        "level", "state", "due", "masked", "due_at", "rung", "assigned_to", "locale",
        "reasons_text",
        "correlation_id", "opened_at", "acknowledged_by", "acknowledged_at",
        "resolved_by", "resolved_at", "disposition", "text_digest", "policy_digest",
    )  # fmt: skip
    readonly_fields = fields
    inlines = (StepInline, AttemptInline)
    actions_detail = ("break_glass",)
    actions_list = ("referrals",)

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, object] | None = None
    ) -> HttpResponse:
        warn_of_stale_contacts(request)
        shown = {**(extra_context or {}), "desk": desk_state()}
        page: HttpResponse = super().changelist_view(request, shown)
        return page

    def get_urls(self) -> list[URLPattern]:
        waiting = path(
            "waiting/",
            self.admin_site.admin_view(self.waiting),
            name="safety_escalation_waiting",
        )
        return [waiting, *super().get_urls()]

    def waiting(self, request: HttpRequest) -> HttpResponse:
        """What the desk's page asks every few seconds: whether anything happened."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        state = asdict(desk_state())
        return JsonResponse(state, headers={"Cache-Control": "no-store"})

    def has_acknowledge_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("safety.acknowledge_escalation")

    @admin.action(description="Acknowledge", permissions=["acknowledge"])
    def acknowledge_escalations(
        self, request: HttpRequest, queryset: QuerySet[Escalation]
    ) -> None:
        actor = actor_for_user(request.user)
        for row in queryset:
            try:
                services.acknowledge_escalation(actor=actor, escalation_id=str(row.pk))
            except PlatformError as error:
                messages.error(request, f"{row.pk}: {error.message}")
            else:
                messages.success(request, f"{row.pk} is yours.")

    def take_step(
        self, verb: str, actor: Actor, row_id: str, cleaned: Mapping[str, object]
    ) -> str:
        if verb == "acknowledge":
            services.acknowledge_escalation(actor=actor, escalation_id=row_id)
            return "Acknowledged: this case is yours."
        if verb == "resolve":
            services.resolve_escalation(
                actor=actor,
                escalation_id=row_id,
                disposition=str(cleaned["disposition"]),
            )
            return "Resolved."
        responder = cast(User, cleaned["responder"])
        services.reassign_escalation(
            actor=actor, escalation_id=row_id, responder_id=str(responder.pk)
        )
        return f"Reassigned to {responder.get_username()}."

    @display(description="Level", label=LEVEL_COLOURS, ordering="level")  # type: ignore[untyped-decorator]
    def level_label(self, row: Escalation) -> tuple[str, str]:
        return row.level, row.get_level_display()

    @display(description="State", label=STATE_COLOURS, ordering="state")  # type: ignore[untyped-decorator]
    def state_label(self, row: Escalation) -> tuple[str, str]:
        return row.state, row.get_state_display()

    @admin.display(description="Reasons")
    def reasons_text(self, row: Escalation) -> str:
        return ", ".join(row.reasons) or "-"

    @admin.display(description="Due", ordering="due_at")
    def due(self, row: Escalation) -> str:
        if row.state != State.OPEN:
            return "—"
        now = timezone.now()
        # platform.js counts on from here, second by second.
        if row.due_at <= now:
            said, tone = f"overdue by {timesince(row.due_at, now)}", "is-overdue"
        else:
            said, tone = f"in {timeuntil(row.due_at, now)}", ""
        return format_html(
            '<span class="{}" data-countdown="{}">{}</span>',
            tone,
            row.due_at.isoformat(),
            said,
        )

    @admin.display(description="What was said")
    def masked(self, row: Escalation) -> str:
        if not EscalationText.objects.filter(escalation=row).exists():
            return "Not kept."
        return format_html(
            '<span class="masked-words" aria-hidden="true">{}</span> {}',
            "█████ ███ ████",
            "Masked. “Read what was said” asks for a reason and is recorded.",
        )
