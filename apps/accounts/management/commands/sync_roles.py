"""`manage.py sync_roles`: make groups agree with the roles in code."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from apps.accounts.permissions import system_actor
from apps.accounts.services import sync_roles


class Command(BaseCommand):
    help = "Make groups and their permissions agree with apps/accounts/roles.py."

    def handle(self, *args: Any, **options: Any) -> None:
        missing = sync_roles(actor=system_actor("bootstrap"))
        if missing:
            lines = [f"{role}: {', '.join(names)}" for role, names in missing.items()]
            raise CommandError(
                "These permissions exist nowhere; run migrate, or correct roles.py:\n"
                + "\n".join(lines)
            )
        self.stdout.write("Roles agree with the code.")
