"""``manage.py fail_modes``: gate by failure by outcome, observed on this code."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from apps.safety.assembly import gate_classes
from apps.safety.fail_modes import observe
from apps.safety.fail_modes_page import as_markdown, as_rows
from apps.safety.policy import default_policy


class Command(BaseCommand):
    help = "Print what comes of each way in which each gate can fail."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--format", choices=["md", "json"], default="md")

    def handle(self, *args: Any, **options: Any) -> None:
        outcomes = observe(gate_classes().values(), default_policy())
        if options["format"] == "json":
            self.stdout.write(json.dumps(as_rows(outcomes), indent=2))
        else:
            self.stdout.write(as_markdown(outcomes), ending="")
