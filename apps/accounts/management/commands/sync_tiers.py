"""`manage.py sync_tiers`: create the tiers that ship as code."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from apps.accounts.permissions import system_actor
from apps.accounts.services import sync_tiers


class Command(BaseCommand):
    help = "Create the tiers of apps/accounts/tiers.py that are missing."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--reset", action="store_true", help="restore changed numbers, too"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        actor = system_actor("bootstrap")
        touched = sync_tiers(actor=actor, reset=options["reset"])
        self.stdout.write(
            f"Written: {', '.join(touched)}." if touched else "No change."
        )
