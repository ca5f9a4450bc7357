"""What validation found, as people who sign read it: codes, counts and rows."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from unfold.admin import TabularInline
from unfold.decorators import display

from apps.audit.admin import ReadOnlyAdmin
from apps.datasets.models import ValidationFinding, ValidationReport


class FindingInline(TabularInline):  # type: ignore[misc]
    model = ValidationFinding
    fields = ("severity", "code", "count", "first_rows", "validator")
    readonly_fields = fields
    extra = 0
    can_delete = False
    hide_title = True

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    @admin.display(description="First rows")
    def first_rows(self, row: ValidationFinding) -> str:
        return ", ".join(str(locator) for locator in row.locators) or "-"


@admin.register(ValidationReport)
class ValidationReportAdmin(ReadOnlyAdmin):
    list_display = ("id", "dataset", "number", "outcome", "row_count", "created_at")
    list_select_related = ("version__dataset", "made_by")
    list_filter = ("passed",)
    actions = None
    fields = (
        "dataset", "number", "outcome", "row_count", "validators", "made_by",
        "created_at",
    )  # fmt: skip
    readonly_fields = fields
    inlines = (FindingInline,)

    @admin.display(description="Dataset", ordering="version__dataset__name")
    def dataset(self, row: ValidationReport) -> str:
        return row.version.dataset.name

    @admin.display(description="Version")
    def number(self, row: ValidationReport) -> int:
        return row.version.number

    @display(description="Outcome", label={"passed": "success", "errors": "danger"})  # type: ignore[untyped-decorator]
    def outcome(self, row: ValidationReport) -> str:
        return "passed" if row.passed else "errors"
