"""``manage.py batch_status [ID]``: how far batches are, without a word of anyone."""

from __future__ import annotations

import json
from typing import Any
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError, CommandParser

from apps.inference.batches.reporting import JOBS_LISTED, render_jobs
from apps.inference.models import BatchJob


class Command(BaseCommand):
    help = "Show one batch, or the latest ones that are not finished."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("batch_id", nargs="?", type=UUID)
        parser.add_argument("--all", action="store_true", help="finished ones too")
        parser.add_argument("--format", choices=["text", "json"], default="text")

    def handle(self, *args: Any, **options: Any) -> None:
        jobs = BatchJob.objects.order_by("-created_at")
        if options["batch_id"]:
            jobs = jobs.filter(pk=options["batch_id"])
            if not jobs.exists():
                raise CommandError("There is no batch with that id.")
        elif not options["all"]:
            jobs = jobs.filter(state__in=["receiving", "running"])
        listed = list(jobs[:JOBS_LISTED])
        found = [
            {**told, "key": job.api_key_label}
            for job, told in zip(listed, render_jobs(listed), strict=True)
        ]
        if options["format"] == "json":
            self.stdout.write(json.dumps(found, indent=2))
            return
        for job in found:
            self.stdout.write(_line(job))
        if not found:
            self.stdout.write("No batch is open.")


# Any: JSON members of a job.
def _line(job: dict[str, Any]) -> str:
    counts = ", ".join(f"{n} {name}" for name, n in job["counts"].items() if n)
    return (
        f"{job['id']}  {job['state']:9} {job['progress']:7.2%} of {job['size']}  "
        f"{job['model']}  {counts}  {job['key']}"
    )
