"""Where aliases point and where they pointed; rolling back is the only thing to do."""

from __future__ import annotations

from dataclasses import asdict

from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.safestring import SafeString
from unfold.decorators import action
from unfold.widgets import UnfoldAdminTextInputWidget

from apps.approvals.evidence import readable
from apps.core.actors import Actor
from apps.core.errors import NotFound
from apps.models_registry import services
from apps.models_registry.admin.screens import GovernedAdmin, Step, table
from apps.models_registry.history import served_at
from apps.models_registry.models import AliasChange, ModelAlias
from apps.models_registry.selectors import alias_history

MOVES_SHOWN = 20


class MomentForm(forms.Form):
    """A moment in UTC."""

    moment = forms.DateTimeField(
        label="At (UTC)",
        widget=UnfoldAdminTextInputWidget(attrs={"type": "datetime-local"}),
    )


def _rollback(actor: Actor, alias_id: str, text: str) -> str:
    try:
        alias = ModelAlias.objects.select_related("model").get(pk=alias_id)
    except (ModelAlias.DoesNotExist, ValueError) as error:
        raise NotFound("There is no such alias.") from error
    moved = services.rollback_alias(
        actor=actor, model_name=alias.model.name, alias=alias.name, reason=text
    )
    return f"Rolled back to version {moved.version.number}."


@admin.register(ModelAlias)
class ModelAliasAdmin(GovernedAdmin):
    steps = (
        Step(
            "rollback",
            "Roll back",
            "models_registry.rollback_modelalias",
            (),
            _rollback,
            "Reason",
        ),
    )
    actions_list = ("at_a_moment",)
    list_display = ("name", "model", "version", "changed_at")
    list_select_related = ("model", "version")
    search_fields = ("name", "model__name")
    fields = ("model", "name", "version", "changed_at", "history")
    readonly_fields = fields

    @action(description="At a moment", url_path="at-a-moment")  # type: ignore[untyped-decorator]
    def at_a_moment(self, request: HttpRequest) -> HttpResponse:
        """What was in production then, and who had signed for it."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        now = f"{timezone.now():%Y-%m-%dT%H:%M:%S}"
        form = MomentForm(request.GET or {"moment": now})
        rows: object = "This is not a moment."
        if form.is_valid():
            found = served_at(form.cleaned_data["moment"])
            rows = [asdict(one) for one in found] or "No model was in production then."
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": "What was in production, and who approved it",
            "form": form,
            "content": readable(rows),
            "says": "Aliases as they pointed at that moment, with the signatures that "
            "their versions had. Times are UTC.",
            "back_url": reverse("admin:models_registry_modelalias_changelist"),
        }
        return TemplateResponse(request, "admin/safety/shown.html", context)

    @admin.display(description="Who moved it")
    def history(self, row: ModelAlias) -> SafeString:
        moves = alias_history(row)[:MOVES_SHOWN]
        return table(
            ("When", "From", "To", "By", "Reason"),
            (
                (
                    move.changed_at,
                    "-" if move.from_version is None else move.from_version.number,
                    _to(move),
                    move.changed_by,
                    move.reason,
                )
                for move in moves
            ),
        )


def _to(move: AliasChange) -> str:
    back = " (rolled back)" if move.is_rollback else ""
    return f"{move.to_version.number}{back}"


@admin.register(AliasChange)
class AliasChangeAdmin(GovernedAdmin):
    list_display = (
        "changed_at", "model", "alias", "from_version", "to_version", "changed_by",
        "is_rollback", "reason",
    )  # fmt: skip
    list_select_related = ("model", "from_version", "to_version", "changed_by")
    list_filter = ("model", "alias", "is_rollback")
