"""``manage.py promote_model NAME NUMBER --as WHO --reason WHY``, or ``--rollback``."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from apps.core.errors import PlatformError
from apps.models_registry import services
from apps.models_registry.management.staff import staff_actor
from apps.models_registry.models import ModelAlias
from apps.models_registry.selectors import PRODUCTION, version_numbered


class Command(BaseCommand):
    help = "Point an alias at an approved version, or back at the one before."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("model")
        parser.add_argument("number", type=int, nargs="?")
        parser.add_argument("--alias", default=PRODUCTION)
        parser.add_argument("--as", required=True, dest="username", help="who asks")
        parser.add_argument("--reason", required=True)
        parser.add_argument("--rollback", action="store_true")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["rollback"] == (options["number"] is not None):
            raise CommandError("Give a version number, or --rollback, not both.")
        try:
            alias = self._move(options)
        except PlatformError as error:
            raise CommandError(error.message) from error
        self.stdout.write(
            f"{options['model']} {alias.name}: version {alias.version.number}"
        )

    def _move(self, options: dict[str, Any]) -> ModelAlias:
        actor = staff_actor(options["username"])
        name, alias, reason = options["model"], options["alias"], options["reason"]
        if options["rollback"]:
            return services.rollback_alias(
                actor=actor, model_name=name, alias=alias, reason=reason
            )
        version = version_numbered(name, options["number"])
        return services.promote_version(
            actor=actor, version_id=str(version.pk), alias=alias, reason=reason
        )
