"""`manage.py create_staff NAME --role ROLE`: a person and a one-time password."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from apps.accounts.permissions import system_actor
from apps.accounts.roles import Role
from apps.accounts.services import create_staff
from apps.core.errors import PlatformError


class Command(BaseCommand):
    help = "Create a member of staff; prints a one-time password, once."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("username")
        parser.add_argument("--role", action="append", required=True, choices=[*Role])
        parser.add_argument("--email", default="")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            user, password = create_staff(
                actor=system_actor("bootstrap"),
                username=options["username"],
                roles=options["role"],
                email=options["email"],
            )
        except PlatformError as error:
            raise CommandError(error.message) from error
        self.stdout.write(f"{user.username}\t{password}")
        self.stderr.write("The password is not shown again; it must be changed.")
