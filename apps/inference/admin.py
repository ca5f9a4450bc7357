"""Read-only screen over closed requests: decisions and evidence, no words."""

from __future__ import annotations

from django.contrib import admin

from apps.audit.admin import ReadOnlyAdmin
from apps.inference.models import InferenceRecord


@admin.register(InferenceRecord)
class InferenceRecordAdmin(ReadOnlyAdmin):
    list_display = (
        "created_at", "decision", "source", "model_name", "version", "policy_name",
        "locale", "api_key_label", "problem_code", "id",
    )  # fmt: skip
    list_filter = ("decision", "source", "model_name")
    search_fields = ("id", "request_id", "api_key_label", "escalation_id")
    date_hierarchy = "created_at"
    ordering = ("-created_at",)
    show_full_result_count = False
