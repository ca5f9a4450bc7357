"""`manage.py reset_second_factor NAME`: for who lost device and recovery codes."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from apps.accounts.models import User
from apps.accounts.permissions import system_actor
from apps.accounts.services import reset_second_factor
from apps.core.errors import PlatformError


class Command(BaseCommand):
    help = "Take a member of staff's second factor away; they enrol anew. Audited."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("username")

    def handle(self, *args: Any, **options: Any) -> None:
        user = User.objects.filter(username=options["username"]).first()
        if user is None:
            raise CommandError(f"There is nobody named {options['username']}.")
        try:
            reset_second_factor(actor=system_actor("bootstrap"), user=user)
        except PlatformError as error:
            raise CommandError(error.message) from error
        self.stdout.write(f"{user.username} enrols a new device at the next sign-in.")
