"""`manage.py subject_export`: everything kept of a person, in a file of the owner's."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from apps.compliance.services import export_subject
from apps.core.errors import PlatformError
from apps.models_registry.management.staff import staff_actor


class Command(BaseCommand):
    help = "Write everything kept of the person of a verified request, and close it."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("request_id")
        parser.add_argument("--actor", required=True, help="the person who exports")
        parser.add_argument("--output", required=True, type=Path, help="a new file")

    def handle(self, *args: Any, **options: Any) -> None:
        path: Path = options["output"]
        try:
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except OSError as error:
            raise CommandError(f"{path} cannot be made: {error.strerror}.") from error
        try:
            content = export_subject(
                actor=staff_actor(options["actor"]), request_id=options["request_id"]
            )
        except PlatformError as error:
            os.close(descriptor)
            path.unlink()
            raise CommandError(error.message) from error
        with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
            json.dump(content, stream, indent=2, ensure_ascii=False)
        self.stdout.write(f"Wrote {path}, for its owner only. Hand it over, remove it.")
