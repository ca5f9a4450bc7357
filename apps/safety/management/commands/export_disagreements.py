"""``manage.py export_disagreements``: the queue of judges as JSON lines, no words."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand

from apps.accounts.permissions import system_actor
from apps.safety.services import export_disagreements


class Command(BaseCommand):
    help = "Write every disagreement of gates and judges as one JSON line."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--output", required=True, type=Path, metavar="FILE.jsonl")

    def handle(self, *args: Any, **options: Any) -> None:
        target: Path = options["output"]
        partial = target.with_name(target.name + ".partial")
        count = 0
        with partial.open("w", encoding="ascii") as out:
            for line in export_disagreements(actor=system_actor("reporting")):
                out.write(line + "\n")
                count += 1
        partial.replace(target)
        self.stderr.write(f"{count} disagreements written")
