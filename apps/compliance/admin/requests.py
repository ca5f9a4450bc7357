"""The desk of data subjects: what is due, and each step as a page of its own.

Erasure and export are not undone by a mistaken click: each is a form that says what
will happen. An export leaves as a download that nothing may cache.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.safestring import SafeString
from unfold.decorators import action, display

from apps.accounts.forms import ConfirmForm
from apps.accounts.screens import Page, ServiceAdmin, posted, pretty_json
from apps.compliance import services
from apps.compliance.forms import SaidForm, SubjectRequestForm
from apps.compliance.models import SubjectRequest
from apps.core.actors import Actor

Kind = SubjectRequest.Kind
COLOURS = {
    "overdue": "danger",
    "received": "warning",
    "verified": "info",
    "done": "success",
    "refused": "default",
}
SAYS = {
    Kind.ACCESS: "A file with everything kept of the person, and why, is downloaded.",
    Kind.EXPORT: "A file with everything kept of the person is downloaded.",
    Kind.ERASURE: "The key of the person is destroyed. Nobody can undo this.",
    Kind.RESTRICTION: "What is kept stays and is not used until that is lifted.",
    Kind.LIFTING: "What is kept of the person may be used again.",
}


def _step(**options: Any) -> Callable[..., Any]:
    """unfold's action decorator, which has no types."""
    decorate: Callable[..., Any] = action(**options)
    return decorate


@admin.register(SubjectRequest)
class SubjectRequestAdmin(ServiceAdmin):
    list_display = (
        "short_id", "kind", "state_label", "received_at", "due_at", "opened_by",
        "reference",
    )  # fmt: skip
    list_select_related = ("opened_by",)
    list_filter = ("state", "kind")
    search_fields = ("id", "reference", "subject")
    ordering = ("closed_at", "due_at")
    fields = (
        "kind", "state_label", "subject", "reference", "received_at", "due_at",
        "extended_because", "opened_by", "verified_by", "verified_at", "verified_how",
        "closed_by", "closed_at", "refused_because", "shown_certificate",
    )  # fmt: skip
    readonly_fields = fields
    actions_detail = ("check_identity", "fulfil", "extend", "refuse")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("compliance.add_subjectrequest")

    # One method a verb, named as unfold's actions ask for them.
    def has_verify_permission(self, request: HttpRequest, object_id: str = "") -> bool:
        return request.user.has_perm("compliance.verify_subjectrequest")

    def has_fulfil_permission(self, request: HttpRequest, object_id: str = "") -> bool:
        return request.user.has_perm("compliance.fulfil_subjectrequest")

    @admin.display(description="Request")
    def short_id(self, row: SubjectRequest) -> str:
        return str(row.pk)[:8]

    @display(description="State", label=COLOURS)  # type: ignore[untyped-decorator]
    def state_label(self, row: SubjectRequest) -> tuple[str, str]:
        if row.is_overdue(timezone.now()):
            return "overdue", f"Overdue: {row.get_state_display().lower()}"
        return row.state, row.get_state_display()

    @admin.display(description="Certificate")
    def shown_certificate(self, row: SubjectRequest) -> SafeString | str:
        return pretty_json(row.certificate) if row.certificate else "-"

    def add_view(
        self,
        request: HttpRequest,
        form_url: str = "",
        extra_context: dict[str, object] | None = None,
    ) -> HttpResponse:
        if not self.has_add_permission(request):
            raise PermissionDenied

        def open_request(actor: Actor, given: dict[str, Any]) -> HttpResponse:
            row = services.open_subject_request(
                actor=actor, asked=services.Asked(**given)
            )
            return self.done(request, "The request is at the desk.", row)

        page = Page(
            "A data subject's request",
            "Open",
            "It is due one month after it was received. The name is not stored.",
        )
        form = SubjectRequestForm(posted(request))
        return self.serve_form(request, form, page, open_request)

    @_step(
        description="Identity checked",
        permissions=["verify"],
        url_path="check-identity",
    )
    def check_identity(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return self._said_page(
            request,
            object_id,
            Page("Identity checked", "Record", "Say what was looked at, not a number."),
            lambda actor, said: services.verify_identity(
                actor=actor, request_id=object_id, how=said
            ),
        )

    @_step(description="Extend", permissions=["fulfil"], url_path="extend")
    def extend(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return self._said_page(
            request,
            object_id,
            Page("Extend", "Extend", "Two more months, once; the person is told why."),
            lambda actor, said: services.extend_request(
                actor=actor, request_id=object_id, because=said
            ),
        )

    @_step(description="Refuse", permissions=["fulfil"], url_path="refuse")
    def refuse(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return self._said_page(
            request,
            object_id,
            Page("Refuse", "Refuse", "The request is closed; the person is told why."),
            lambda actor, said: services.refuse_request(
                actor=actor, request_id=object_id, because=said
            ),
        )

    @_step(description="Do it", permissions=["fulfil"], url_path="fulfil")
    def fulfil(self, request: HttpRequest, object_id: str) -> HttpResponse:
        row: SubjectRequest = self.row_or_404(request, object_id)
        kind = Kind(row.kind)

        def act(actor: Actor, given: dict[str, Any]) -> HttpResponse:
            if kind in (Kind.ACCESS, Kind.EXPORT):
                return _download(
                    services.export_subject(actor=actor, request_id=object_id), row
                )
            if kind is Kind.ERASURE:
                services.erase_subject(actor=actor, request_id=object_id)
                return self.done(request, "Erased. The certificate is below.", row)
            services.restrict_subject(actor=actor, request_id=object_id)
            return self.done(request, "Done.", row)

        page = Page(f"{kind.label}", "Do it", SAYS[kind])
        return self.serve_form(request, ConfirmForm(posted(request)), page, act, row)

    def _said_page(
        self,
        request: HttpRequest,
        object_id: str,
        page: Page,
        service: Callable[[Actor, str], SubjectRequest],
    ) -> HttpResponse:
        row: SubjectRequest = self.row_or_404(request, object_id)

        def act(actor: Actor, given: dict[str, Any]) -> HttpResponse:
            service(actor, given["said"])
            return self.done(request, "Recorded.", row)

        return self.serve_form(request, SaidForm(posted(request)), page, act, row)


def _download(content: dict[str, object], row: SubjectRequest) -> HttpResponse:
    body = json.dumps(content, indent=2, ensure_ascii=False)
    response = HttpResponse(body, content_type="application/json")
    response["Content-Disposition"] = f'attachment; filename="{row.pk}.json"'
    response["Cache-Control"] = "no-store"
    return response
