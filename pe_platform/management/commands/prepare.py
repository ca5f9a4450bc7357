"""`manage.py prepare`: migrations, roles, tiers and static files, in one process.

Each step looks first whether there is anything to do: a second start costs a start of
Python and little else.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.staticfiles.finders import get_finders
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandParser
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from apps.core.digests import digest_json


class Command(BaseCommand):
    help = "Bring database, roles, tiers and static files to what the code expects."
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--static",
            action="store_true",
            help="Only the static files; needs no database (for building an image).",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        if options["static"]:
            self._collect_static()
            return
        self._migrate()
        call_command("sync_roles", stdout=self.stdout)
        call_command("sync_tiers", stdout=self.stdout)
        self._collect_static()

    def _say(self, line: str) -> None:
        self.stdout.write(line)
        self.stdout.flush()

    def _migrate(self) -> None:
        executor = MigrationExecutor(connection)
        pending = executor.migration_plan(executor.loader.graph.leaf_nodes())
        if not pending:
            self._say("Database: nothing to migrate.")
            return
        self._say(f"Database: {len(pending)} migrations (half a minute)")
        call_command("migrate", verbosity=0, interactive=False)

    def _collect_static(self) -> None:
        """Copy, hash and compress, unless the same files were the last time."""
        stamp = Path(settings.STATIC_ROOT) / "prepared"
        wanted = _static_digest()
        if stamp.is_file() and stamp.read_text() == wanted:
            self._say("Static files: nothing new.")
            return
        self._say("Static files: copied, hashed and compressed")
        call_command("collectstatic", interactive=False, verbosity=0)
        stamp.write_text(wanted)


def _static_digest() -> str:
    """Over the path, size and time of every file that would be collected."""
    found = []
    for finder in get_finders():
        for path, storage in finder.list(None):
            status = Path(storage.path(path)).stat()
            found.append([path, status.st_size, int(status.st_mtime)])
    return digest_json(sorted(found))
