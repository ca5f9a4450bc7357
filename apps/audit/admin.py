"""Read-only audit screens: search, filter, nothing else."""

from __future__ import annotations

from django.contrib import admin
from django.db.models import Model
from django.http import HttpRequest
from unfold.admin import ModelAdmin

from apps.audit.models import AuditChain, AuditEntry


class ReadOnlyAdmin(ModelAdmin):  # type: ignore[misc]
    """A screen on which nothing can be added, changed or deleted."""

    actions = None

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
        "recorded_at", "event", "actor_label", "subject_label", "subject_id",
        "chain", "sequence", "request_id",
    )  # fmt: skip
    list_filter = ("event", "actor_kind", "chain", "subject_label")
    search_fields = ("actor_label", "subject_id", "request_id", "event")
    date_hierarchy = "recorded_at"
    ordering = ("-id",)


@admin.register(AuditChain)
class AuditChainAdmin(ReadOnlyAdmin):
    list_display = ("name", "sequence", "digest")
