"""``manage.py set_endpoint_secret NAME URL --as WHO < file``: never an argument."""

from __future__ import annotations

import getpass
import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from apps.core.errors import PlatformError
from apps.models_registry import services
from apps.models_registry.management.staff import staff_actor


class Command(BaseCommand):
    help = "Store the secret of a model endpoint, sealed; it is read from input."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("name")
        parser.add_argument("url", help="the endpoint's base URL")
        parser.add_argument("--as", required=True, dest="username", help="who sets it")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            row = services.set_endpoint_secret(
                actor=staff_actor(options["username"]),
                name=options["name"],
                base_url=options["url"],
                secret=_read(),
            )
        except PlatformError as error:
            raise CommandError(error.message) from error
        self.stdout.write(str(row))


def _read() -> str:
    """From the terminal unseen, or the first line of what is piped in."""
    if sys.stdin.isatty():
        return getpass.getpass("Secret: ")
    return sys.stdin.readline().strip()
