"""``manage.py train manifest.json --as NAME``: queue a training, perhaps watch it."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from apps.core.errors import PlatformError
from apps.models_registry import services
from apps.models_registry.management.staff import staff_actor
from apps.models_registry.models import TrainingRun
from apps.models_registry.selectors import run_by_id

POLL_S = 0.5


class Command(BaseCommand):
    help = "Create a training manifest from a JSON file and queue a run of it."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("manifest", type=Path)
        parser.add_argument("--as", required=True, dest="username", help="who asks")
        parser.add_argument(
            "--wait", action="store_true", help="Print metrics until it ends."
        )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            run = self._queue(options["manifest"], options["username"])
            self.stdout.write(str(run.pk))
            if options["wait"]:
                self._watch(str(run.pk))
        except PlatformError as error:
            raise CommandError(error.message) from error

    def _queue(self, path: Path, username: str) -> TrainingRun:
        try:
            document = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise CommandError(f"{path} cannot be read as JSON: {error}") from error
        actor = staff_actor(username)
        manifest = services.create_manifest(actor=actor, document=document)
        return services.queue_run(actor=actor, manifest_id=str(manifest.pk))

    def _watch(self, run_id: str) -> None:
        shown = 0
        while True:
            run = run_by_id(run_id)
            shown = self._print_after(run, shown)
            if not run.is_open:
                break
            time.sleep(POLL_S)
        self.stdout.write(run.get_state_display())
        if run.state != TrainingRun.State.SUCCEEDED:
            raise CommandError(f"The run {run.state}: {run.failure_code or 'no code'}.")

    def _print_after(self, run: TrainingRun, shown: int) -> int:
        by_step: dict[int, list[str]] = {}
        for point in run.metrics.filter(step__gt=shown):
            by_step.setdefault(point.step, []).append(f"{point.name} {point.value:.4f}")
        for step, values in sorted(by_step.items()):
            self.stdout.write(f"step {step:>6}  " + "  ".join(values))
        return max(by_step, default=shown)
