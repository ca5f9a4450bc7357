"""``manage.py hipaa_identifiers``: the page of the 18 Safe Harbor identifiers."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand

from apps.safety.hipaa import as_markdown


class Command(BaseCommand):
    help = "Print which detector finds which HIPAA identifier, as docs/gates/hipaa.md."
    requires_system_checks: list[str] = []

    def handle(self, *args: Any, **options: Any) -> None:
        self.stdout.write(as_markdown(), ending="")
