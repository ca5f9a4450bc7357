"""Filters of the log's list that cost the same for ten entries and for a million."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.dateparse import parse_datetime
from unfold.contrib.filters.admin import RangeDateTimeFilter

from apps.audit.models import AuditEntry
from apps.audit.selectors import values_of
from apps.core.actors import ActorKind


class MomentFilter(RangeDateTimeFilter):  # type: ignore[misc]
    """From and to, in UTC; a date without a time means the whole day."""

    # Any: rows of whichever screen uses it.
    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        begins = self._moment("from", "00:00:00")
        ends = self._moment("to", "23:59:59.999999")
        if begins is not None:
            queryset = queryset.filter(**{f"{self.field_path}__gte": begins})
        if ends is not None:
            queryset = queryset.filter(**{f"{self.field_path}__lte": ends})
        return queryset

    def _moment(self, end: str, default: str) -> datetime | None:
        day = self.used_parameters.get(f"{self.parameter_name}_{end}_0")
        clock = self.used_parameters.get(f"{self.parameter_name}_{end}_1") or default
        try:
            found = parse_datetime(f"{day} {clock}") if day else None
        except ValueError:
            # The 31st of February: the list stays as it was.
            return None
        return found.replace(tzinfo=UTC) if found else None


class EventFilter(admin.SimpleListFilter):
    """Values from the index: Django's own filter would read every row for them."""

    title = "event"
    parameter_name = "event"
    field = "event"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(value, value) for value in values_of(self.field)]

    def queryset(
        self, request: HttpRequest, queryset: QuerySet[AuditEntry]
    ) -> QuerySet[AuditEntry]:
        chosen = self.value()
        return queryset.filter(**{self.field: chosen}) if chosen else queryset


class SubjectFilter(EventFilter):
    title = "kind of subject"
    parameter_name = field = "subject_label"


class ChainFilter(EventFilter):
    title = parameter_name = field = "chain"


class ActorKindFilter(EventFilter):
    title = "kind of actor"
    parameter_name = field = "actor_kind"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(kind.value, kind.value.replace("_", " ")) for kind in ActorKind]
