"""Where aliases point and where they pointed; rolling back is the only thing to do."""

from __future__ import annotations

from django.contrib import admin
from django.utils.safestring import SafeString

from apps.core.actors import Actor
from apps.core.errors import NotFound
from apps.models_registry import services
from apps.models_registry.admin.screens import GovernedAdmin, Step, table
from apps.models_registry.models import AliasChange, ModelAlias
from apps.models_registry.selectors import alias_history

MOVES_SHOWN = 20


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
    list_display = ("name", "model", "version", "changed_at")
    list_select_related = ("model", "version")
    search_fields = ("name", "model__name")
    fields = ("model", "name", "version", "changed_at", "history")
    readonly_fields = fields

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
