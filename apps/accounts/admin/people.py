"""People: created with a one-time password; roles by name, never single permissions."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import Exists, Model, OuterRef, QuerySet
from django.http import HttpRequest, HttpResponse
from unfold.decorators import action, display

from apps.accounts import services
from apps.accounts.forms import ConfirmForm, RolesForm, StaffForm
from apps.accounts.models import Authenticator, User
from apps.accounts.reauthentication import Reauthenticated
from apps.accounts.screens import Page, Secret, ServiceAdmin, posted
from apps.core.actors import Actor

MAY_CHANGE = ["govern"]


@admin.register(User)
class UserAdmin(ServiceAdmin):
    list_display = (
        "username", "role_names", "email", "is_active", "has_factor", "last_login",
    )  # fmt: skip
    list_filter = ("groups", "is_active", "must_change_password")
    search_fields = ("username", "email")
    ordering = ("username",)
    fields = (
        "username", "email", "role_names", "is_active", "is_superuser", "has_factor",
        "sso_subject", "must_change_password", "last_login", "date_joined",
    )  # fmt: skip
    readonly_fields = fields
    actions_detail = (
        "change_roles", "reset_password", "reset_factor", "activate", "deactivate",
    )  # fmt: skip

    def get_queryset(self, request: HttpRequest) -> QuerySet[User]:
        found: QuerySet[User] = super().get_queryset(request)
        enrolled = Authenticator.objects.filter(
            user=OuterRef("pk"), confirmed_at__isnull=False
        )
        return found.prefetch_related("groups").annotate(enrolled=Exists(enrolled))

    def has_add_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("accounts.add_user")

    # Named as unfold's actions ask for it.
    def has_govern_permission(self, request: HttpRequest, object_id: str = "") -> bool:
        return request.user.has_perm("accounts.change_user")

    @display(description="Roles")  # type: ignore[untyped-decorator]
    def role_names(self, user: User) -> str:
        return ", ".join(group.name for group in user.groups.all()) or "none"

    # enrolled: annotated in get_queryset.
    @display(description="Second factor", boolean=True)  # type: ignore[untyped-decorator]
    def has_factor(self, user: User) -> bool:
        return bool(getattr(user, "enrolled", False))

    def add_view(
        self,
        request: HttpRequest,
        form_url: str = "",
        extra_context: dict[str, object] | None = None,
    ) -> HttpResponse:
        if not self.has_add_permission(request):
            raise PermissionDenied

        def create(actor: Actor, given: dict[str, Any]) -> HttpResponse:
            user, password = services.create_staff(actor=actor, **given)
            return self._show_password(request, user, password)

        page = Page(
            "Add a member of staff",
            "Create",
            "They get a one-time password, which you hand over and they replace.",
        )
        return self.serve_form(request, StaffForm(posted(request)), page, create)

    @action(description="Change roles", permissions=MAY_CHANGE, url_path="roles")  # type: ignore[untyped-decorator]
    def change_roles(self, request: HttpRequest, object_id: str) -> HttpResponse:
        user: User = self.row_or_404(request, object_id)
        held = {"roles": list(user.groups.values_list("name", flat=True))}

        def change(actor: Actor, given: dict[str, Any]) -> HttpResponse:
            services.set_roles(actor=actor, user=user, roles=given["roles"])
            return self.done(request, "The roles were changed.", user)

        page = Page(f"Roles of {user}", "Change roles")
        form = RolesForm(request, posted(request), initial=held)
        return self.serve_form(request, form, page, change, user)

    @action(description="Reset password", permissions=MAY_CHANGE, url_path="reset")  # type: ignore[untyped-decorator]
    def reset_password(self, request: HttpRequest, object_id: str) -> HttpResponse:
        user: User = self.row_or_404(request, object_id)

        def reset(actor: Actor, given: dict[str, Any]) -> HttpResponse:
            password = services.reset_password(actor=actor, user=user)
            return self._show_password(request, user, password)

        page = Page(
            f"Reset the password of {user}",
            "Reset",
            "The present password and all sessions of this person end now.",
        )
        form = Reauthenticated(request, posted(request))
        return self.serve_form(request, form, page, reset, user)

    @action(  # type: ignore[untyped-decorator]
        description="Reset second factor",
        permissions=MAY_CHANGE,
        url_path="reset-second-factor",
    )
    def reset_factor(self, request: HttpRequest, object_id: str) -> HttpResponse:
        user: User = self.row_or_404(request, object_id)

        def reset(actor: Actor, given: dict[str, Any]) -> HttpResponse:
            services.reset_second_factor(actor=actor, user=user)
            return self.done(request, f"{user} enrols a new device next time.", user)

        page = Page(
            f"Reset the second factor of {user}",
            "Reset",
            "Their device and recovery codes stop working now. Make sure that it is "
            "really them who ask.",
        )
        form = Reauthenticated(request, posted(request))
        return self.serve_form(request, form, page, reset, user)

    @action(description="Deactivate", permissions=MAY_CHANGE, url_path="deactivate")  # type: ignore[untyped-decorator]
    def deactivate(self, request: HttpRequest, object_id: str) -> HttpResponse:
        page_says = "They cannot log in, and their API keys stop working, now."
        return self._set_active(request, object_id, False, "Deactivate", page_says)

    @action(description="Activate", permissions=MAY_CHANGE, url_path="activate")  # type: ignore[untyped-decorator]
    def activate(self, request: HttpRequest, object_id: str) -> HttpResponse:
        page_says = "They can log in again, and their API keys work again."
        return self._set_active(request, object_id, True, "Activate", page_says)

    def _set_active(
        self, request: HttpRequest, object_id: str, active: bool, verb: str, says: str
    ) -> HttpResponse:
        user: User = self.row_or_404(request, object_id)

        def change(actor: Actor, given: dict[str, Any]) -> HttpResponse:
            services.set_active(actor=actor, user=user, active=active)
            return self.done(request, f"{verb}d: {user}.", user)

        page = Page(f"{verb} {user}", verb, says)
        form = ConfirmForm(posted(request))
        return self.serve_form(request, form, page, change, user)

    def _show_password(
        self, request: HttpRequest, user: Model, password: str
    ) -> HttpResponse:
        secret = Secret(
            title=f"One-time password of {user}",
            label="One-time password",
            value=password,
            says="Hand it over in person. It opens one thing: choosing another.",
        )
        return self.show_once(request, secret, user)
