"""Read-only screen over closed requests: decisions and evidence, no words.

Two pages beside it decide a request again, and show which of its words moved a score
to who may read them. Both are audited by their service and keep nothing.
"""

from __future__ import annotations

from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.views.decorators.http import require_POST

from apps.accounts.permissions import actor_for_user
from apps.accounts.screens import ServiceAdmin
from apps.approvals.evidence import readable
from apps.audit.admin import SHOWN_OF_ID
from apps.core.errors import PlatformError
from apps.inference.explained import explain_request
from apps.inference.models import InferenceRecord
from apps.inference.replaying import render_replay, replay_request

_REPLAY = "inference.replay_inferencerecord"
_READ = "inference.read_kepttext"


@admin.register(InferenceRecord)
class InferenceRecordAdmin(ServiceAdmin):
    list_display = (
        "created_at", "decision", "source", "model_name", "version",
        "policy_name", "locale", "api_key_label", "problem_code", "short_id",
    )  # fmt: skip
    list_filter = ("decision", "source", "model_name")
    search_fields = ("id", "request_id", "api_key_label", "escalation_id")
    date_hierarchy = "created_at"
    ordering = ("-created_at",)
    show_full_result_count = False
    change_form_outer_before_template = "admin/safety/steps.html"

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
