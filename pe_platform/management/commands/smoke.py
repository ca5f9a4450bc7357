"""`manage.py smoke`: is a deployed instance sound? Seconds; exit 1 when it is not."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from pe_platform.smoke import Result, Smoke, Target


class Command(BaseCommand):
    help = (
        "Check a deployed instance: health, key, limits, gates, chain, metrics. The "
        "crisis request opens a real case: close it as 'no risk'."
    )
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--url", required=True, help="https://host, without a path")
        parser.add_argument(
            "--key", default=settings.PE_SMOKE_KEY, help="or set PE_SMOKE_KEY"
        )
        parser.add_argument("--model", default="support-replies")
        parser.add_argument(
            "--metrics-token",
            default=settings.PE_METRICS_TOKEN,
            help="or set PE_METRICS_TOKEN; without one metrics are not checked",
        )
        parser.add_argument(
            "--behind-proxy",
            action="store_true",
            help="ask as the TLS proxy would, from inside its network",
        )
        parser.add_argument(
            "--without-crisis", action="store_true", help="open no case"
        )
        parser.add_argument("--json", action="store_true", help="print JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        if not options["key"]:
            raise CommandError("An API key is needed: --key or PE_SMOKE_KEY.")
        if not options["url"].startswith(("http://", "https://")):
            raise CommandError("--url starts with https:// or http://.")
        target = Target(
            url=options["url"].rstrip("/"),
            key=options["key"],
            model=options["model"],
            metrics_token=options["metrics_token"],
            behind_proxy=options["behind_proxy"],
            with_crisis=not options["without_crisis"],
        )
        results = []
        for result in Smoke(target).run():
            results.append(result)
            if not options["json"]:
                self._say(result)
        passed = all(result.passed for result in results)
        if options["json"]:
            checks = [asdict(result) for result in results]
            self.stdout.write(json.dumps({"passed": passed, "checks": checks}))
        if not passed:
            sys.exit(1)

    def _say(self, result: Result) -> None:
        mark = "ok  " if result.passed else "FAIL"
        found = f": {result.found}" if result.found else ""
        self.stdout.write(f"{mark} {result.name} ({result.ms:.0f} ms){found}")
        self.stdout.flush()
