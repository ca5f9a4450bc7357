"""`manage.py trace_leak`: whose grant did the rows of a file come from?"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from apps.core.errors import PlatformError
from apps.datasets.management.commands.ingest_dataset import staff_actor
from apps.datasets.tracing import trace_leak


class Command(BaseCommand):
    help = "Look for canary rows in a file; exit 1 when none of ours stands in it."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument("--actor", required=True, help="the person who asks")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            with options["file"].open("rb") as stream:
                found = trace_leak(actor=staff_actor(options["actor"]), leaked=stream)
        except OSError as error:
            raise CommandError(f"The file cannot be read: {error.strerror}.") from error
        except PlatformError as error:
            raise CommandError(error.message) from error
        for one in found:
            version = one.grant.version
            self.stdout.write(
                f"{one.grant.program}: grant {one.grant.pk}, {version.dataset.name} "
                f"version {version.number}, {one.found} of {one.planted} canaries"
            )
        if not found:
            self.stdout.write("No canary of any grant stands in this file.")
            sys.exit(1)
