"""Read-only screens over closed requests and batches: decisions, no words.

Two pages beside it decide a request again, and show which of its words moved a score
to who may read them. Both are audited by their service and keep nothing.
"""

from __future__ import annotations

import uuid
from typing import Any

from django.contrib import admin, messages
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.views.decorators.http import require_POST

from apps.accounts.permissions import actor_for_user
from apps.accounts.screens import ServiceAdmin
from apps.approvals.evidence import readable
from apps.audit.admin import SHOWN_OF_ID
from apps.audit.filters import MomentFilter
from apps.core.errors import PlatformError
from apps.inference.batches.reporting import tally_of
from apps.inference.explained import explain_request
from apps.inference.models import BatchJob, InferenceRecord
from apps.inference.replaying import render_replay, replay_request
from apps.models_registry.models import RegisteredModel
from apps.safety.models import Escalation

_REPLAY = "inference.replay_inferencerecord"
_READ = "inference.read_kepttext"


class ModelNameFilter(admin.SimpleListFilter):
    """The models there are; requests are too many to be asked."""

    title = "model"
    parameter_name = "model_name"

    # Any: what Django passes to every filter.
    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        names = RegisteredModel.objects.order_by("name").values_list("name", flat=True)
        return [(name, name) for name in names]

    def queryset(
        self, request: HttpRequest, queryset: QuerySet[InferenceRecord]
    ) -> QuerySet[InferenceRecord]:
        chosen = self.value()
        return queryset.filter(model_name=chosen) if chosen else queryset


def records_about(words: str) -> Q:
    """What the search box finds, by equality on indexed columns where there is one."""
    try:
        found = uuid.UUID(words)
    except ValueError:
        return Q(request_id=words)
    case = Escalation.objects.filter(pk=found).values("correlation_id")
    return Q(request_id=words) | Q(pk=found) | Q(pk__in=case)


@admin.register(InferenceRecord)
class InferenceRecordAdmin(ServiceAdmin):
    list_display = (
        "created_at", "decision", "source", "model_name", "version",
        "policy_name", "locale", "api_key_label", "problem_code", "short_id",
    )  # fmt: skip
    list_filter = (
        ("created_at", MomentFilter), "decision", "source", ModelNameFilter,
    )  # fmt: skip
    list_filter_submit = True
    search_fields = ("id", "request_id", "escalation_id")
    search_help_text = "A whole request id, record id or case id"
    ordering = ("-created_at",)
    show_full_result_count = False
    change_form_outer_before_template = "admin/safety/steps.html"

    def get_search_results(
        self,
        request: HttpRequest,
        queryset: QuerySet[InferenceRecord],
        search_term: str,
    ) -> tuple[QuerySet[InferenceRecord], bool]:
        words = search_term.strip()
        return (queryset.filter(records_about(words)) if words else queryset), False

    @admin.display(description="Request", ordering="id")
    def short_id(self, record: InferenceRecord) -> str:
        return str(record.pk)[:SHOWN_OF_ID]

    def get_urls(self) -> list[URLPattern]:
        wrap = self.admin_site.admin_view
        own = [
            path(
                f"<uuid:row_id>/{name}/",
                wrap(require_POST(view)),
                name=f"inference_inferencerecord_{name}",
            )
            for name, view in (("replay", self.replay), ("words", self.words))
        ]
        return [*own, *super().get_urls()]

    def replay(self, request: HttpRequest, row_id: object) -> HttpResponse:
        """What today's gates and policy would decide, gate by gate."""
        record: InferenceRecord = self.row_or_404(request, str(row_id))
        try:
            replay = replay_request(actor=actor_for_user(request.user), record=record)
        except PlatformError as error:
            return self._refused(request, error, record)
        told = "Nothing would differ." if replay.is_same else "It would differ."
        content = readable(render_replay(replay))
        return self._shown(request, record, "Replay", content=content, says=told)

    def words(self, request: HttpRequest, row_id: object) -> HttpResponse:
        """The words that moved each score."""
        record: InferenceRecord = self.row_or_404(request, str(row_id))
        try:
            moving = explain_request(actor=actor_for_user(request.user), record=record)
        except PlatformError as error:
            return self._refused(request, error, record)
        rows = [
            {
                "stage": one.stage.value,
                "gate": one.gate,
                "words": one.words,
                "adds to the score": f"{one.by:.3f}",
            }
            for one in moving
        ]
        told = "Leaving these words out lowers the score by so much. This look is kept."
        title = "Words that moved a score"
        return self._shown(request, record, title, content=readable(rows), says=told)

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, object] | None = None,
    ) -> HttpResponse:
        offered = (
            ("Decide again", "replay", _REPLAY),
            ("Words that moved the scores", "words", _READ),
        )
        steps = [
            {
                "label": label,
                "form": None,
                "url": f"../{name}/",
            }
            for label, name, permission in offered
            if request.user.has_perm(permission)
        ]
        context = {**(extra_context or {}), "steps": steps}
        page: HttpResponse = super().change_view(request, object_id, form_url, context)
        return page

    def _refused(
        self, request: HttpRequest, error: PlatformError, record: InferenceRecord
    ) -> HttpResponse:
        messages.error(request, error.message)
        return HttpResponseRedirect(self.page_of(record))

    def _shown(
        self, request: HttpRequest, record: InferenceRecord, title: str, **shown: object
    ) -> HttpResponse:
        context = self._context(request, title) | {
            **shown,
            "back_url": self.page_of(record),
        }
        response = TemplateResponse(request, "admin/safety/shown.html", context)
        response["Cache-Control"] = "no-store"
        return response


@admin.register(BatchJob)
class BatchJobAdmin(ServiceAdmin):
    """How far batches are; the lines and their words are not shown to anyone."""

    list_display = (
        "created_at", "state", "model_name", "size", "api_key_label", "finished_at",
        "expires_at", "id",
    )  # fmt: skip
    list_filter = ("state", "model_name")
    search_fields = ("id", "api_key_label")
    date_hierarchy = "created_at"
    ordering = ("-created_at",)
    readonly_fields = ("lines_by_state", "lines_by_decision")

    @admin.display(description="lines by state")
    def lines_by_state(self, job: BatchJob) -> str:
        return _listed(tally_of(job).counts)

    @admin.display(description="lines by decision")
    def lines_by_decision(self, job: BatchJob) -> str:
        return _listed(tally_of(job).decisions) or "none answered, or purged"


def _listed(counts: dict[str, int]) -> str:
    return ", ".join(f"{number} {name}" for name, number in counts.items() if number)
