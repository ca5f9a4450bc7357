"""``manage.py referral_report``: counts of crisis cases for a period, no identifiers.

Whoever may run this holds the shell, so it acts as the part of the platform that
reports; the export is an audit entry like one from the admin.
"""

from __future__ import annotations

from argparse import ArgumentParser, ArgumentTypeError
from datetime import date
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from apps.accounts.permissions import system_actor
from apps.core.errors import PlatformError
from apps.safety import services
from apps.safety.reporting import WRITERS


class Command(BaseCommand):
    help = "Print referral counts without identifiers for a period, both days in (UTC)."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--from", required=True, type=_day, dest="first")
        parser.add_argument("--to", required=True, type=_day, dest="last")
        parser.add_argument("--format", choices=sorted(WRITERS), default="json")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            report = services.export_referrals(
                actor=system_actor("reporting"),
                first=options["first"],
                last=options["last"],
            )
        except PlatformError as error:
            raise CommandError(error.message) from error
        self.stdout.write(WRITERS[options["format"]](report), ending="")


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise ArgumentTypeError("a day is written YYYY-MM-DD") from error
