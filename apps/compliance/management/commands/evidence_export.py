"""`manage.py evidence_export`: one signed ZIP with the evidence of a period."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from apps.compliance.evidence.period import Period
from apps.compliance.services import export_evidence
from apps.core.errors import PlatformError
from apps.core.signing import public_key
from apps.models_registry.management.staff import staff_actor


class Command(BaseCommand):
    help = "Export approvals, what was in production, looks, access and duties."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--from", dest="first", required=True, type=_day)
        parser.add_argument("--to", dest="last", required=True, type=_day)
        parser.add_argument("--actor", required=True, help="the person who exports")
        parser.add_argument("--output", required=True, type=Path, help="a new ZIP")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            bundle = export_evidence(
                actor=staff_actor(options["actor"]),
                asked=Period(options["first"], options["last"]),
                target=options["output"],
            )
        except PlatformError as error:
            raise CommandError(error.message) from error
        self.stdout.write(f"Wrote {options['output']}, manifest {bundle.digest}.")
        self.stdout.write(f"Public key, to be handed over apart: {public_key()}")


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise CommandError("A day is written as 2026-11-25.") from error
