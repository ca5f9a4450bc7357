"""`manage.py subject_erase`: erase the person of a verified request, or erase again."""

from __future__ import annotations

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from apps.accounts.permissions import system_actor
from apps.compliance.services import erase_again, erase_subject
from apps.core.errors import PlatformError
from apps.models_registry.management.staff import staff_actor


class Command(BaseCommand):
    help = "Erase a person and print the signed certificate; there is no way back."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("request_id", nargs="?")
        parser.add_argument("--actor", help="the person who erases")
        parser.add_argument(
            "--again",
            action="store_true",
            help="after restoring a database: erase everyone who was erased since",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            if options["again"]:
                removed = erase_again(actor=system_actor("maintenance"))
                self.stdout.write(json.dumps({"removed": removed}))
                return
            if not options["request_id"] or not options["actor"]:
                raise CommandError("Give a request and --actor, or --again.")
            certificate = erase_subject(
                actor=staff_actor(options["actor"]), request_id=options["request_id"]
            )
        except PlatformError as error:
            raise CommandError(error.message) from error
        self.stdout.write(json.dumps(certificate, indent=2))
