"""Read-only audit screens: search, filter, follow a subject, verify, export."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Model, QuerySet
from django.http import (
    HttpRequest,
    HttpResponse,
    HttpResponseBase,
    HttpResponseRedirect,
)
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from unfold.admin import ModelAdmin
from unfold.decorators import action

from apps.audit.errors import ChainBroken
from apps.audit.explorer import EXPORT_PERMISSION, export
from apps.audit.filters import (
    ActorKindFilter,
    ChainFilter,
    EventFilter,
    MomentFilter,
    SubjectFilter,
)
from apps.audit.models import AuditChain, AuditEntry
from apps.audit.selectors import entries_about, timeline_of
from apps.audit.verification import verify_and_record
from apps.core.actors import Actor, ActorKind

SHOWN_OF_ID = 8
TIMELINE_ROWS = 500


def viewer(request: HttpRequest) -> Actor:
    """Who looks, as an actor; the log sits below accounts and asks the person itself.

    Raises PermissionDenied for who is not signed in.
    """
    user = request.user
    if not user.is_authenticated:
        raise PermissionDenied
    return Actor(
        ActorKind.STAFF,
        str(user.pk),
        user.get_username(),
        permissions=frozenset(user.get_all_permissions()),
    )


class ReadOnlyAdmin(ModelAdmin):  # type: ignore[misc]
    """A screen on which nothing can be added, changed or deleted."""

    # Any: subclasses name actions of their own, in the types that the admin takes.
    actions: Any = None

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(
        self, request: HttpRequest, obj: Model | None = None
    ) -> bool:
        return False

    def has_delete_permission(
        self, request: HttpRequest, obj: Model | None = None
    ) -> bool:
        return False


@admin.register(AuditEntry)
class AuditEntryAdmin(ReadOnlyAdmin):
    list_display = (
        "when", "event", "actor_label", "subject", "request_part", "place",
    )  # fmt: skip
    list_filter = (
        ("recorded_at", MomentFilter), EventFilter, SubjectFilter,
        ActorKindFilter, ChainFilter,
    )  # fmt: skip
    list_filter_submit = True
    search_fields = ("actor_label", "subject_id", "request_id", "event")
    search_help_text = "A whole actor, event, request id or subject id"
    show_full_result_count = False
    ordering = ("-id",)
    actions_list = ("verify",)
    list_before_template = "admin/audit/explore.html"

    def get_urls(self) -> list[URLPattern]:
        wrap = self.admin_site.admin_view
        own = [
            path(
                "timeline/<str:label>/<path:subject_id>/",
                wrap(self.timeline),
                name="audit_auditentry_timeline",
            ),
            path(
                "export/<slug:form>/",
                wrap(self.export),
                name="audit_auditentry_export",
            ),
        ]
        return [*own, *super().get_urls()]

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[AuditEntry], search_term: str
    ) -> tuple[QuerySet[AuditEntry], bool]:
        words = search_term.strip()
        return (queryset.filter(entries_about(words)) if words else queryset), False

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, object] | None = None
    ) -> HttpResponse:
        may_export = request.user.has_perm(EXPORT_PERMISSION)
        shown = {**(extra_context or {}), "may_export": may_export}
        page: HttpResponse = super().changelist_view(request, shown)
        return page

    def timeline(
        self, request: HttpRequest, label: str, subject_id: str
    ) -> HttpResponse:
        """Everything recorded about one subject, oldest first."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        entries = list(timeline_of(label, subject_id)[: TIMELINE_ROWS + 1])
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": "Timeline",
            "subject_label": label,
            "subject_id": subject_id,
            "entries": entries[:TIMELINE_ROWS],
            "is_cut": len(entries) > TIMELINE_ROWS,
            "limit": TIMELINE_ROWS,
        }
        return TemplateResponse(request, "admin/audit/timeline.html", context)

    def export(self, request: HttpRequest, form: str) -> HttpResponseBase:
        """What the list shows with these filters, as a file; an event of its own."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        rows = self.get_changelist_instance(request).get_queryset(request)
        return export(request, viewer(request), rows, form)

    @admin.display(description="Recorded (UTC)", ordering="recorded_at")
    def when(self, entry: AuditEntry) -> str:
        return f"{entry.recorded_at:%Y-%m-%d %H:%M:%S}"

    @admin.display(description="Subject", ordering="subject_label")
    def subject(self, entry: AuditEntry) -> SafeString:
        kind = entry.subject_label.rpartition(".")[2]
        url = reverse(
            "admin:audit_auditentry_timeline",
            args=[entry.subject_label, entry.subject_id],
        )
        said = f"{kind} {entry.subject_id[:SHOWN_OF_ID]}"
        return format_html('<a class="underline" href="{}">{}</a>', url, said)

    @admin.display(description="Chain # entry")
    def place(self, entry: AuditEntry) -> str:
        return f"{entry.chain} #{entry.sequence}"

    @admin.display(description="Request", ordering="request_id")
    def request_part(self, entry: AuditEntry) -> str:
        return entry.request_id[:SHOWN_OF_ID] or "-"

    # Named as unfold's actions ask for it.
    def has_verify_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("audit.verify_auditentry")

    @action(  # type: ignore[untyped-decorator]
        description="Verify the chain",
        permissions=["verify"],
        url_path="verify",
    )
    def verify(self, request: HttpRequest) -> HttpResponse:
        """Recompute every digest, as `manage.py verify_audit` does."""
        try:
            states = verify_and_record(actor=viewer(request))
        except ChainBroken as error:
            messages.error(request, f"The chain is broken. {error.message}")
        else:
            total = sum(state.entries for state in states)
            messages.success(
                request, f"Verified {total} entries in {len(states)} chains."
            )
        return HttpResponseRedirect(reverse("admin:audit_auditentry_changelist"))


@admin.register(AuditChain)
class AuditChainAdmin(ReadOnlyAdmin):
    list_display = ("name", "sequence", "digest")
