"""`manage.py validate_dataset`: run the validators; exit 1 when there are errors."""

from __future__ import annotations

import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from apps.core.errors import PlatformError
from apps.datasets.management.commands.ingest_dataset import staff_actor
from apps.datasets.selectors import version_numbered
from apps.datasets.services import validate_version


class Command(BaseCommand):
    help = "Validate a dataset version and print what was found."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--dataset", required=True, help="name of the dataset")
        parser.add_argument("--number", required=True, type=int, help="its version")
        parser.add_argument("--as", required=True, dest="username", help="who asks")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            actor = staff_actor(options["username"])
            version = version_numbered(options["dataset"], options["number"])
            report = validate_version(actor=actor, version_id=str(version.pk))
        except PlatformError as error:
            raise CommandError(error.message) from error
        for finding in report.findings.all():
            rows = ", ".join(str(locator) for locator in finding.locators) or "-"
            self.stdout.write(
                f"{finding.severity:8} {finding.code}: {finding.count} (rows {rows})"
            )
        self.stdout.write("passed" if report.passed else "errors: quarantined")
        if not report.passed:
            sys.exit(1)
