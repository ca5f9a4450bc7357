"""`manage.py ingest_dataset`: a file becomes the next version of a dataset."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from apps.accounts.models import User
from apps.accounts.permissions import actor_for_user
from apps.core.actors import Actor
from apps.core.errors import NotFound, PlatformError
from apps.datasets.contracts import FileFormat
from apps.datasets.models import Dataset
from apps.datasets.selectors import dataset_named
from apps.datasets.services import (
    DatasetDescription,
    create_dataset,
    ingest_version,
)


def staff_actor(username: str) -> Actor:
    """The actor of a member of staff; CommandError when there is none."""
    try:
        return actor_for_user(User.objects.get_by_natural_key(username))
    except User.DoesNotExist as error:
        raise CommandError(f"Nobody is named {username}.") from error


class Command(BaseCommand):
    help = "Ingest a JSON lines or CSV file as the next version of a dataset."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument("--dataset", required=True, help="name of the dataset")
        parser.add_argument("--as", required=True, dest="username", help="who ingests")
        parser.add_argument("--format", choices=[kind.value for kind in FileFormat])
        made = parser.add_argument_group("a dataset that does not exist yet")
        made.add_argument("--title")
        made.add_argument("--purpose")
        made.add_argument("--licence")
        made.add_argument("--schema", type=Path, help="JSON file with the row schema")

    def handle(self, *args: Any, **options: Any) -> None:
        path: Path = options["file"]
        suffix = options["format"] or path.suffix.removeprefix(".").lower()
        if suffix not in {kind.value for kind in FileFormat}:
            raise CommandError("Say which --format the file has: jsonl or csv.")
        try:
            actor = staff_actor(options["username"])
            dataset = self._dataset(actor, options)
            with path.open("rb") as source:
                version = ingest_version(
                    actor=actor,
                    dataset=dataset,
                    source=source,
                    file_format=FileFormat(suffix),
                )
        except (OSError, ValueError) as error:
            raise CommandError(f"A file cannot be read: {error}") from error
        except PlatformError as error:
            raise CommandError(error.message) from error
        self.stdout.write(
            f"{dataset.name} version {version.number}: {version.row_count} rows, "
            f"{version.digest}"
        )

    def _dataset(self, actor: Actor, options: dict[str, Any]) -> Dataset:
        """The dataset named; made from the options when it is new and they are there.

        Without --schema a missing dataset is an error, so that a mistyped name does
        not quietly found another line of versions.
        """
        try:
            return dataset_named(options["dataset"])
        except NotFound:
            if options["schema"] is None:
                raise
        description = DatasetDescription(
            name=options["dataset"],
            title=options["title"] or options["dataset"],
            purpose=options["purpose"] or "",
            licence=options["licence"] or "",
            schema=json.loads(options["schema"].read_bytes()),
        )
        return create_dataset(actor=actor, description=description)
