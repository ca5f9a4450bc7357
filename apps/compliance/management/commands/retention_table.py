"""`manage.py retention_table`: what is kept, where and how long, from the code."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand

from apps.compliance.retention import as_markdown


class Command(BaseCommand):
    help = "Print what is kept, where, how long and what erasure does to it (Markdown)."

    def handle(self, *args: Any, **options: Any) -> None:
        self.stdout.write(as_markdown(), ending="")
