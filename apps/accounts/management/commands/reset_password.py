"""`manage.py reset_password NAME`: a new one-time password for somebody."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from apps.accounts.models import User
from apps.accounts.permissions import system_actor
from apps.accounts.services import reset_password


class Command(BaseCommand):
    help = "Give a member of staff a new one-time password; prints it, once."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("username")

    def handle(self, *args: Any, **options: Any) -> None:
        user = User.objects.filter(username=options["username"]).first()
        if user is None:
            raise CommandError(f"There is nobody named {options['username']}.")
        password = reset_password(actor=system_actor("bootstrap"), user=user)
        self.stdout.write(f"{user.username}\t{password}")
        self.stderr.write("The password is not shown again; it must be changed.")
