"""``manage.py import_model NAME FOLDER --adapter A --messages DIGEST --as NAME``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import CommandError, CommandParser

from apps.core.errors import PlatformError
from apps.models_registry import services
from apps.models_registry.families import adapter_named
from apps.models_registry.management.commands import train
from apps.models_registry.management.staff import staff_actor
from apps.models_registry.services import Bundle


class Command(train.Command):
    help = "Store a folder's model files and queue the run that makes them a version."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("model", help="the name of a registered model")
        parser.add_argument("folder", type=Path)
        parser.add_argument("--adapter", required=True)
        parser.add_argument(
            "--messages",
            required=True,
            help="digest of a frozen dataset to try it on",
        )
        parser.add_argument("--as", required=True, dest="username", help="who asks")
        parser.add_argument("--wait", action="store_true", help="Watch until it ends.")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            bundle = Bundle(
                model_name=options["model"],
                adapter=options["adapter"],
                files=_files(options["folder"], options["adapter"]),
                messages_digest=options["messages"],
                code_revision=str(settings.PE_CODE_REVISION),
            )
            actor = staff_actor(options["username"])
            run = services.import_bundle(actor=actor, bundle=bundle)
            self.stdout.write(str(run.pk))
            if options["wait"]:
                self._watch(str(run.pk))
        except PlatformError as error:
            raise CommandError(error.message) from error


def _files(folder: Path, adapter: str) -> dict[str, bytes]:
    """The adapter's files out of a folder; what else lies there is left alone."""
    try:
        return {n: (folder / n).read_bytes() for n in adapter_named(adapter).files}
    except OSError as error:
        raise CommandError(f"A file cannot be read: {error}") from error
