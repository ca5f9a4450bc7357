"""The inbox of approvals, and the page on which people sign.

Requests and sign-offs are read-only here. Whoever may not sign sees the reason where
the button would be; the service refuses with the same words.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import NoReverseMatch, URLPattern, path, reverse
from django.utils.safestring import SafeString
from unfold.decorators import display

from apps.accounts.permissions import actor_for_user
from apps.accounts.screens import Page, ServiceAdmin, posted
from apps.approvals import services
from apps.approvals.evidence import readable
from apps.approvals.forms import SignForm, WithdrawForm
from apps.approvals.models import ApprovalRequest
from apps.approvals.selectors import may_withdraw, why_not_sign
from apps.core.actors import Actor

State = ApprovalRequest.State
STATE_COLOURS = {
    State.PENDING.label: "warning",
    State.APPROVED.label: "success",
    State.REJECTED.label: "danger",
    State.WITHDRAWN.label: "default",
    State.EXPIRED.label: "default",
    State.VOID.label: "danger",
}


def your_part(actor: Actor) -> Callable[[ApprovalRequest], str]:
    """A column that says, to this person, whether they are waited for."""

    def part(request: ApprovalRequest) -> str:
        return why_not_sign(request, actor) or "Waits for your signature"

    part.short_description = "You"  # type: ignore[attr-defined]
    return part


@admin.register(ApprovalRequest)
class ApprovalRequestAdmin(ServiceAdmin):
    list_display = (
        "title", "state_label", "progress", "author", "requested_by", "created_at",
        "expires_at",
    )  # fmt: skip
    list_filter = ("state", "subject_label")
    search_fields = ("title", "subject_id", "subject_digest")
    list_select_related = ("author", "requested_by")
    fields = (
        "title", "state_label", "progress", "subject_label", "subject_id",
        "subject_digest", "reason", "evidence_text", "author", "requested_by",
        "roles_text", "created_at", "expires_at", "decided_at",
    )  # fmt: skip
    readonly_fields = fields
    change_form_outer_before_template = "admin/approvals/sign_box.html"

    def get_queryset(self, request: HttpRequest) -> QuerySet[ApprovalRequest]:
        found: QuerySet[ApprovalRequest] = super().get_queryset(request)
        return found.prefetch_related("sign_offs__signer")

    def get_list_display(self, request: HttpRequest) -> tuple[Any, ...]:
        first, *others = self.list_display
        return (first, your_part(actor_for_user(request.user)), *others)

    def get_urls(self) -> list[URLPattern]:
        steps = (("sign", self.sign_view), ("withdraw", self.withdraw_view))
        own = [
            path(
                f"<uuid:request_id>/{name}/",
                self.admin_site.admin_view(view),
                name=f"approvals_approvalrequest_{name}",
            )
            for name, view in steps
        ]
        return [*own, *super().get_urls()]

    @display(description="State", label=STATE_COLOURS, ordering="state")  # type: ignore[untyped-decorator]
    def state_label(self, request: ApprovalRequest) -> str:
        return request.get_state_display()

    @display(description="Signed")  # type: ignore[untyped-decorator]
    def progress(self, request: ApprovalRequest) -> str:
        return f"{len(request.sign_offs.all())} of {request.quorum}"

    @display(description="Roles that sign")  # type: ignore[untyped-decorator]
    def roles_text(self, request: ApprovalRequest) -> str:
        return ", ".join(request.eligible_roles)

    @display(description="Evidence")  # type: ignore[untyped-decorator]
    def evidence_text(self, request: ApprovalRequest) -> SafeString:
        return readable(request.evidence)

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        row = self.get_object(request, object_id)
        shown = {} if row is None else self._sign_box(request, row)
        page: HttpResponse = super().change_view(
            request, object_id, form_url, {**(extra_context or {}), **shown}
        )
        return page

    def sign_view(self, request: HttpRequest, request_id: str) -> HttpResponse:
        row = self._row(request, request_id)

        def sign(actor: Actor, given: dict[str, Any]) -> HttpResponse:
            signed = services.sign(
                actor=actor,
                request_id=str(row.pk),
                approve=given["decision"] == "approve",
                meaning=given["meaning"],
                reason=given["reason"],
            )
            state = signed.get_state_display().lower()
            return self.done(request, f"You signed. The request is {state}.", row)

        page = Page(
            f"Sign: {row.title}",
            "Sign",
            template="admin/approvals/sign.html",
            shown=self._sign_box(request, row) | {"evidence": readable(row.evidence)},
        )
        form = SignForm(request, posted(request))
        return self.serve_form(request, form, page, sign, row)

    def withdraw_view(self, request: HttpRequest, request_id: str) -> HttpResponse:
        row = self._row(request, request_id)

        def withdraw(actor: Actor, given: dict[str, Any]) -> HttpResponse:
            services.withdraw_request(actor=actor, request_id=str(row.pk))
            return self.done(request, "The request was withdrawn.", row)

        page = Page(f"Withdraw: {row.title}", "Withdraw", "Its sign-offs end with it.")
        form = WithdrawForm(posted(request))
        return self.serve_form(request, form, page, withdraw, row)

    def _row(self, request: HttpRequest, request_id: str) -> ApprovalRequest:
        if not self.has_view_permission(request):
            raise PermissionDenied
        return get_object_or_404(self.get_queryset(request), pk=request_id)

    def _sign_box(
        self, request: HttpRequest, row: ApprovalRequest
    ) -> dict[str, object]:
        actor = actor_for_user(request.user)
        base = "admin:approvals_approvalrequest"
        return {
            "row": row,
            "sign_offs": row.sign_offs.all(),
            "refusal": why_not_sign(row, actor),
            "subject_url": subject_url(row),
            "may_withdraw": may_withdraw(row, actor),
            "sign_url": reverse(f"{base}_sign", args=[row.pk]),
            "withdraw_url": reverse(f"{base}_withdraw", args=[row.pk]),
        }


def subject_url(row: ApprovalRequest) -> str:
    """The screen of what is signed for; empty where its app has none."""
    app_label, _, model_name = row.subject_label.partition(".")
    try:
        return reverse(f"admin:{app_label}_{model_name}_change", args=[row.subject_id])
    except NoReverseMatch:
        return ""
