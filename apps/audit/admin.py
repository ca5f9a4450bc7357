"""Read-only audit screens: search, filter, verify, nothing else."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Model
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from unfold.admin import ModelAdmin
from unfold.decorators import action

from apps.audit.errors import ChainBroken
from apps.audit.models import AuditChain, AuditEntry
from apps.audit.verification import verify_and_record
from apps.core.actors import Actor, ActorKind

SHOWN_OF_ID = 8


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
    list_filter = ("event", "actor_kind", "chain", "subject_label")
    search_fields = ("actor_label", "subject_id", "request_id", "event")
    date_hierarchy = "recorded_at"
    ordering = ("-id",)
    actions_list = ("verify",)

    @admin.display(description="Recorded (UTC)", ordering="recorded_at")
    def when(self, entry: AuditEntry) -> str:
        return f"{entry.recorded_at:%Y-%m-%d %H:%M:%S}"

    @admin.display(description="Subject", ordering="subject_label")
    def subject(self, entry: AuditEntry) -> str:
        kind = entry.subject_label.rpartition(".")[2]
        return f"{kind} {entry.subject_id[:SHOWN_OF_ID]}"

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
