"""API keys and tiers: a raw key is on one page, once; its hash on none."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from unfold.decorators import action, display

from apps.accounts import services
from apps.accounts.forms import IssueKeyForm, ReasonForm, RotateKeyForm, TierForm
from apps.accounts.keys import tier_facts
from apps.accounts.models import ApiKey, Tier
from apps.accounts.quotas import quota_state
from apps.accounts.screens import Page, Secret, ServiceAdmin, posted
from apps.core.actors import Actor

STATE_COLOURS = {"active": "success", "expired": "warning", "revoked": "danger"}


@admin.register(ApiKey)
class ApiKeyAdmin(ServiceAdmin):
    list_display = (
        "prefix", "name", "state", "owner", "tier", "scope_list", "expires_at",
        "last_used_at",
    )  # fmt: skip
    list_select_related = ("owner", "tier")
    list_filter = ("tier", "owner")
    search_fields = ("prefix", "name")
    fields = (
        "prefix", "name", "state", "owner", "tier", "scope_list", "jurisdiction",
        "quota_used",
        "created_at", "expires_at", "last_used_at", "rotated_from", "revoked_at",
        "revoked_by",
    )  # fmt: skip
    readonly_fields = fields
    actions_detail = ("rotate", "revoke")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("accounts.add_apikey")

    # One method a verb, named as unfold's actions ask for them.
    def has_rotate_permission(self, request: HttpRequest, object_id: str = "") -> bool:
        return request.user.has_perm("accounts.rotate_apikey")

    def has_revoke_permission(self, request: HttpRequest, object_id: str = "") -> bool:
        return request.user.has_perm("accounts.revoke_apikey")

    @display(description="State", label=STATE_COLOURS)  # type: ignore[untyped-decorator]
    def state(self, key: ApiKey) -> str:
        return key.state_at(timezone.now())

    @display(description="Scopes")  # type: ignore[untyped-decorator]
    def scope_list(self, key: ApiKey) -> str:
        return ", ".join(key.scopes)

    @display(description="Used of its quota")  # type: ignore[untyped-decorator]
    def quota_used(self, key: ApiKey) -> str:
        states = quota_state(key.family_id, tier_facts(key.tier), timezone.now())
        return "; ".join(f"{s.used} of {s.limit} this {s.period}" for s in states)

    def add_view(
        self,
        request: HttpRequest,
        form_url: str = "",
        extra_context: dict[str, object] | None = None,
    ) -> HttpResponse:
        if not self.has_add_permission(request):
            raise PermissionDenied

        def issue(actor: Actor, given: dict[str, Any]) -> HttpResponse:
            days = given.pop("expires_in_days")
            expires_at = timezone.now() + timedelta(days=days) if days else None
            key, raw = services.issue_key(actor=actor, expires_at=expires_at, **given)
            return self._show_key(request, key, raw)

        page = Page("Issue an API key", "Issue", "The key is shown once.")
        return self.serve_form(
            request, IssueKeyForm(request, posted(request)), page, issue
        )

    @action(  # type: ignore[untyped-decorator]
        description="Rotate", permissions=["rotate"], url_path="rotate"
    )
    def rotate(self, request: HttpRequest, object_id: str) -> HttpResponse:
        key: ApiKey = self.row_or_404(request, object_id)
        form = RotateKeyForm(request, posted(request))

        def rotate(actor: Actor, given: dict[str, Any]) -> HttpResponse:
            new, raw = services.rotate_key(actor=actor, key=key, overlap=form.overlap)
            return self._show_key(request, new, raw)

        page = Page(
            f"Rotate {key}",
            "Rotate",
            "A new key with the same scopes and tier is shown once.",
        )
        return self.serve_form(request, form, page, rotate, key)

    @action(  # type: ignore[untyped-decorator]
        description="Revoke", permissions=["revoke"], url_path="revoke"
    )
    def revoke(self, request: HttpRequest, object_id: str) -> HttpResponse:
        key: ApiKey = self.row_or_404(request, object_id)

        def revoke(actor: Actor, given: dict[str, Any]) -> HttpResponse:
            services.revoke_key(actor=actor, key=key, reason=given["reason"])
            return self.done(request, f"{key.prefix} was revoked.", key)

        page = Page(f"Revoke {key}", "Revoke", "It stops working at once, for good.")
        return self.serve_form(request, ReasonForm(posted(request)), page, revoke, key)

    def _show_key(self, request: HttpRequest, key: ApiKey, raw: str) -> HttpResponse:
        secret = Secret(
            title=f"API key for {key.name}",
            label="API key",
            value=raw,
            says="Copy it now: it cannot be read again. Send it as Authorization: "
            "Bearer, over HTTPS.",
        )
        return self.show_once(request, secret, key)


@admin.register(Tier)
class TierAdmin(ServiceAdmin):
    list_display = (
        "slug", "requests_per_second", "burst", "daily_quota", "monthly_quota",
        "max_text_chars", "allowed_models",
    )  # fmt: skip
    readonly_fields = list_display
    actions_detail = ("change_numbers",)

    def has_numbers_permission(self, request: HttpRequest, object_id: str = "") -> bool:
        return request.user.has_perm("accounts.change_tier")

    @action(  # type: ignore[untyped-decorator]
        description="Change numbers",
        permissions=["numbers"],
        url_path="numbers",
    )
    def change_numbers(self, request: HttpRequest, object_id: str) -> HttpResponse:
        tier: Tier = self.row_or_404(request, object_id)

        def change(actor: Actor, given: dict[str, Any]) -> HttpResponse:
            services.change_tier(actor=actor, tier=tier, numbers=given)
            return self.done(request, f"The tier {tier} was changed.", tier)

        page = Page(
            f"Numbers of {tier}", "Change", "Every key of the tier is bound at once."
        )
        form = TierForm(posted(request), instance=tier)
        return self.serve_form(request, form, page, change, tier)
