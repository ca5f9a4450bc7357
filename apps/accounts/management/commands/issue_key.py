"""`manage.py issue_key --actor OPERATOR --owner NAME ...`: an API key, shown once."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from apps.accounts.models import Tier, User
from apps.accounts.permissions import actor_for_user
from apps.accounts.scopes import SCOPE_PERMISSIONS
from apps.accounts.services import issue_key
from apps.core.errors import PlatformError


class Command(BaseCommand):
    help = "Issue an API key on behalf of an operator; prints it once."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("name", help="what the key is for")
        parser.add_argument("--actor", required=True, help="the operator who issues it")
        parser.add_argument(
            "--owner", help="who answers for it; the actor if not given"
        )
        parser.add_argument("--tier", default="free")
        parser.add_argument(
            "--jurisdiction", default="", help="the policy that decides for it"
        )
        parser.add_argument("--days", type=int, help="expires after so many days")
        parser.add_argument(
            "--scope", action="append", required=True, choices=[*SCOPE_PERMISSIONS]
        )

    def handle(self, *args: Any, **options: Any) -> None:
        days = options["days"]
        try:
            actor_user = User.objects.get(username=options["actor"])
            key, raw = issue_key(
                actor=actor_for_user(actor_user),
                name=options["name"],
                owner=User.objects.get(username=options["owner"] or options["actor"]),
                scopes=options["scope"],
                jurisdiction=options["jurisdiction"],
                tier=Tier.objects.get(slug=options["tier"]),
                expires_at=timezone.now() + timedelta(days=days) if days else None,
            )
        except (User.DoesNotExist, Tier.DoesNotExist) as error:
            raise CommandError(f"{error} Names are given exactly.") from error
        except PlatformError as error:
            raise CommandError(error.message) from error
        self.stdout.write(raw)
        self.stderr.write(f"Key {key.prefix}. It is not shown again.")
