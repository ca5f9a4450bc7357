"""Grants of access to rows: asked for on one page, revoked on another."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from unfold.decorators import action, display

from apps.accounts.screens import Page, ServiceAdmin, posted
from apps.core.actors import Actor
from apps.datasets import services
from apps.datasets.forms import GrantForm, RevokeForm
from apps.datasets.models import DatasetGrant

COLOURS = {
    "requested": "warning",
    "granted": "success",
    "expired": "default",
    "refused": "default",
    "revoked": "danger",
}


@admin.register(DatasetGrant)
class DatasetGrantAdmin(ServiceAdmin):
    list_display = (
        "program", "dataset", "state_label", "shows_identifiers", "expires_at",
        "requested_by", "requested_at",
    )  # fmt: skip
    list_select_related = ("version__dataset", "requested_by")
    list_filter = ("state", "shows_identifiers", "version__dataset")
    search_fields = ("program", "purpose")
    fields = (
        "program", "dataset", "state_label", "purpose", "columns", "where",
        "shows_identifiers", "row_count", "days", "requested_by", "requested_at",
        "granted_at", "expires_at", "revoked_by", "revoked_at", "revoked_because",
    )  # fmt: skip
    readonly_fields = fields
    actions_detail = ("revoke",)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("datasets.add_datasetgrant")

    # Named as unfold's actions ask for it.
    def has_revoke_permission(self, request: HttpRequest, object_id: str = "") -> bool:
        return request.user.has_perm("datasets.revoke_datasetgrant")

    @admin.display(description="Dataset", ordering="version__dataset__name")
    def dataset(self, row: DatasetGrant) -> str:
        return f"{row.version.dataset.name} version {row.version.number}"

    @display(description="State", label=COLOURS)  # type: ignore[untyped-decorator]
    def state_label(self, row: DatasetGrant) -> tuple[str, str]:
        if row.state == row.State.GRANTED and not row.is_open(timezone.now()):
            return "expired", "Expired"
        return row.state, row.get_state_display()

    def add_view(
        self,
        request: HttpRequest,
        form_url: str = "",
        extra_context: dict[str, object] | None = None,
    ) -> HttpResponse:
        if not self.has_add_permission(request):
            raise PermissionDenied

        def ask(actor: Actor, given: dict[str, Any]) -> HttpResponse:
            version = given.pop("version")
            asked = services.AccessAsked(version_digest=version.digest, **given)
            grant = services.request_access(actor=actor, asked=asked)
            return self.done(request, "Asked for: two people have to sign.", grant)

        page = Page(
            "Ask for access to rows",
            "Ask",
            "Two people of different roles sign for exactly this scope.",
        )
        return self.serve_form(request, GrantForm(posted(request)), page, ask)

    @action(  # type: ignore[untyped-decorator]
        description="Revoke", permissions=["revoke"], url_path="revoke"
    )
    def revoke(self, request: HttpRequest, object_id: str) -> HttpResponse:
        grant: DatasetGrant = self.row_or_404(request, object_id)

        def revoke(actor: Actor, given: dict[str, Any]) -> HttpResponse:
            services.revoke_access(actor=actor, grant_id=object_id, **given)
            return self.done(request, "Revoked: open streams end now.", grant)

        page = Page(f"Revoke: {grant}", "Revoke", "Open streams end at once.")
        form = RevokeForm(posted(request))
        return self.serve_form(request, form, page, revoke, grant)
