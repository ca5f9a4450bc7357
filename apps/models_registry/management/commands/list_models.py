"""``manage.py list_models``: models, versions, states and aliases, one line each."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand

from apps.models_registry.selectors import all_versions


class Command(BaseCommand):
    help = "List model versions with their states and aliases."

    def handle(self, *args: Any, **options: Any) -> None:
        for version in all_versions():
            aliases = ", ".join(alias.name for alias in version.aliases.all())
            line = f"{version.model.name}@{version.number}  {version.state}  {aliases}"
            self.stdout.write(line.rstrip())
