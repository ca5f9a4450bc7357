"""`manage.py seed_scale`: many rows, to see how screens behave; never in production.

The audit entries are chained like any other, so that the log still verifies; their
actor says what they are. Requests carry no text, and no model answered them.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import transaction
from django.utils import timezone

from apps.accounts.permissions import system_actor
from apps.audit.services import record_event
from apps.core.actors import Subject
from apps.core.context import new_request_id, request_context
from apps.inference.contracts import Outcome
from apps.inference.models import InferenceRecord

SUBJECTS = ("models_registry.modelversion", "safety.safetypolicy", "accounts.apikey")
EVENTS = ("created", "submitted", "approved", "promoted", "retired", "read", "rotated")
# Each batch is one transaction.
BATCH = 1000


class Command(BaseCommand):
    help = "Fill a local database with audit entries and requests, to measure screens."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--audit", type=int, default=100_000, metavar="N")
        parser.add_argument("--requests", type=int, default=20_000, metavar="N")

    def handle(self, *args: Any, **options: Any) -> None:
        if settings.IS_PRODUCTION:
            raise CommandError("This writes invented rows: PE_ENVIRONMENT=local only.")
        for first in range(0, options["audit"], BATCH):
            _seed_audit(first, min(BATCH, options["audit"] - first))
        for first in range(0, options["requests"], BATCH):
            InferenceRecord.objects.bulk_create(
                _requests(first, min(BATCH, options["requests"] - first))
            )
        told = f"{options['audit']} audit entries, {options['requests']} requests"
        self.stdout.write(f"Wrote {told}.")


@transaction.atomic
def _seed_audit(first: int, count: int) -> None:
    actor = system_actor("maintenance")
    for number in range(first, first + count):
        # Ten entries share a request, as they do when one page does several things.
        with request_context(f"seed-{number // 10:08d}"):
            record_event(
                actor=actor,
                event=f"seed.{EVENTS[number % len(EVENTS)]}",
                subject=Subject(SUBJECTS[number % len(SUBJECTS)], str(number % 5000)),
                details={"number": number},
            )


def _requests(first: int, count: int) -> Iterator[InferenceRecord]:
    now, family = timezone.now(), uuid.UUID(int=1)
    for number in range(first, first + count):
        yield InferenceRecord(
            request_id=new_request_id(),
            created_at=now - timedelta(seconds=30 * number),
            api_key_id=family,
            key_family_id=family,
            api_key_label="seed (none)",
            model_name=f"seed-{number % 20}",
            policy_name="default",
            locale="en-GB",
            text_digest=f"hmac-sha256:{number:064x}",
            decision=Outcome.BLOCK.value,
            source="fixed",
            problem_code="",
        )
