"""``manage.py run_training_run ID``: do a queued run here, in the foreground."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from apps.core.errors import PlatformError
from apps.models_registry.training import run_training


class Command(BaseCommand):
    help = "Train a queued run in this process, as a worker would."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("run_id")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            version = run_training(options["run_id"])
        except PlatformError as error:
            raise CommandError(error.message) from error
        if version is None:
            raise CommandError("The run is not queued, or another worker has it.")
        self.stdout.write(f"{version.pk}")
