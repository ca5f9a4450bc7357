"""`manage.py subject_request`: open a data subject's request, or note who they are."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from apps.compliance.models import SubjectRequest
from apps.compliance.services import Asked, open_subject_request, verify_identity
from apps.core.errors import PlatformError
from apps.models_registry.management.staff import staff_actor


class Command(BaseCommand):
    help = "Open a request of a data subject, or check the identity behind one."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--actor", required=True, help="the person who does this")
        parser.add_argument("--kind", choices=SubjectRequest.Kind.values)
        parser.add_argument("--program", help="prefix of an API key of the program")
        parser.add_argument("--participant", help="what the program calls the person")
        parser.add_argument("--received", help="ISO date and time; now if left out")
        parser.add_argument("--reference", default="", help="where the letter is")
        parser.add_argument("--verify", metavar="REQUEST", help="an open request")
        parser.add_argument("--how", default="", help="how the person was known")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            actor = staff_actor(options["actor"])
            if options["verify"]:
                request = verify_identity(
                    actor=actor, request_id=options["verify"], how=options["how"]
                )
            else:
                request = open_subject_request(actor=actor, asked=_asked(options))
        except PlatformError as error:
            raise CommandError(error.message) from error
        self.stdout.write(
            f"{request.pk} {request.state}, due {request.due_at:%Y-%m-%d}"
        )


def _asked(options: dict[str, Any]) -> Asked:
    missing = [
        f"--{name}" for name in ("kind", "program", "participant") if not options[name]
    ]
    if missing:
        raise CommandError(f"To open a request, give {', '.join(missing)} as well.")
    return Asked(
        kind=options["kind"],
        program=options["program"],
        participant=options["participant"],
        received_at=_moment(options["received"]),
        reference=options["reference"],
    )


def _moment(text: str | None) -> datetime:
    if not text:
        return timezone.now()
    try:
        found = datetime.fromisoformat(text)
    except ValueError as error:
        raise CommandError("--received is a date such as 2026-11-25T09:00.") from error
    return found if found.tzinfo else timezone.make_aware(found)
