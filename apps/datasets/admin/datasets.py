"""Datasets: the list, one dataset with its versions, and the page that makes one."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import Count, QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString
from unfold.admin import TabularInline

from apps.accounts.screens import pretty_json
from apps.core.actors import Actor
from apps.datasets import services
from apps.datasets.admin.screens import ServiceAddAdmin
from apps.datasets.forms import DatasetForm
from apps.datasets.models import Dataset, DatasetVersion
from apps.datasets.services import DatasetDescription


class VersionInline(TabularInline):  # type: ignore[misc]
    model = DatasetVersion
    fk_name = "dataset"
    fields = ("number", "state", "row_count", "digest", "author", "created_at")
    readonly_fields = fields
    ordering = ("-number",)
    extra = 0
    can_delete = False
    show_change_link = True

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def get_queryset(self, request: HttpRequest) -> QuerySet[DatasetVersion]:
        found: QuerySet[DatasetVersion] = super().get_queryset(request)
        return found.select_related("author", "dataset")


@admin.register(Dataset)
class DatasetAdmin(ServiceAddAdmin):
    add_form = DatasetForm
    add_permission = "datasets.add_dataset"
    add_title = "Add a dataset"
    list_display = ("name", "title", "licence", "owner", "version_count", "created_at")
    list_select_related = ("owner",)
    list_filter = ("licence",)
    search_fields = ("name", "title")
    actions = None
    fields = (
        "name", "title", "purpose", "licence", "owner", "created_at", "row_schema",
    )  # fmt: skip
    readonly_fields = fields
    inlines = (VersionInline,)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Dataset]:
        found: QuerySet[Dataset] = super().get_queryset(request)
        return found.annotate(versions_made=Count("versions"))

    @admin.display(description="Versions", ordering="versions_made")
    def version_count(self, row: Dataset) -> int:
        return int(getattr(row, "versions_made", 0))

    @admin.display(description="Schema of a row")
    def row_schema(self, row: Dataset) -> SafeString:
        return pretty_json(row.schema)

    def create(self, actor: Actor, cleaned: dict[str, Any]) -> Dataset:
        return services.create_dataset(
            actor=actor, description=DatasetDescription(**cleaned)
        )
