"""`manage.py audit_export`: the whole log in a folder that an auditor can verify."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

from django.core.management.base import BaseCommand, CommandError, CommandParser

from apps.audit.exporting import export_chains
from apps.core.errors import PlatformError
from apps.core.signing import public_key


class Command(BaseCommand):
    help = "Export every chain, the checkpoints and a signed manifest to a new folder."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("folder", type=Path, help="a folder that is not there yet")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            manifest = export_chains(options["folder"])
        except PlatformError as error:
            raise CommandError(error.message) from error
        chains = cast("dict[str, dict[str, int]]", manifest["chains"])
        total = sum(chain["entries"] for chain in chains.values())
        self.stdout.write(f"Exported {total} entries of {len(chains)} chains.")
        self.stdout.write(f"Public key, to be handed over apart: {public_key()}")
