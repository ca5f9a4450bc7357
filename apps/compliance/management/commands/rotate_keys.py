"""`manage.py rotate_keys`: put everything sealed under the current key; resumable."""

from __future__ import annotations

import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from apps.accounts.permissions import system_actor
from apps.compliance.models import KeyRotation
from apps.compliance.services import rotate_keys
from apps.core.errors import PlatformError
from apps.core.keys.canary import known_key_ids


class Command(BaseCommand):
    help = "Put all sealed data under the current key; run again to go on after a stop."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--quiet", action="store_true", help="no progress")

    def handle(self, *args: Any, **options: Any) -> None:
        tell = None if options["quiet"] else self._tell
        try:
            rotation = rotate_keys(actor=system_actor("maintenance"), progress=tell)
        except PlatformError as error:
            raise CommandError(error.message) from error
        self.stdout.write(
            f"Under {rotation.target}: {rotation.done} values looked at, "
            f"{rotation.changed} changed, {rotation.failed} could not be opened."
        )
        self.stdout.write(f"Keys to keep: {', '.join(known_key_ids())}.")
        if rotation.failed:
            sys.exit(1)

    def _tell(self, rotation: KeyRotation) -> None:
        self.stdout.write(f"{rotation.store}: {rotation.done} of {rotation.total}")
        self.stdout.flush()
