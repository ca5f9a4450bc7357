"""``manage.py sweep``: search hyper-parameters over the training queue."""

from __future__ import annotations

import json
import time
from argparse import RawDescriptionHelpFormatter
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from tqdm import tqdm  # type: ignore[import-untyped]

from apps.core.errors import InvalidInput, PlatformError
from apps.experiments import services
from apps.experiments.selectors.sweeps import sweep_by_id, sweep_status
from apps.models_registry.management.staff import staff_actor

POLL_S = 1.0
HELP = """Search hyper-parameters: every trial is a training run on the queue.

  sweep start sweep.json --as olga --wait    start one, watch it to its end
  sweep status ID                            best so far, what mattered, every trial
  sweep best ID > manifest.json              the manifest of the best trial, to train
  sweep cancel ID --as olga                  stop it and its runs

A worker's beat leads sweeps on every 15 seconds; nothing here has to stay running.
"""
Shown = dict[str, Any]  # Any: a JSON document


class Command(BaseCommand):
    help = HELP

    def create_parser(self, *args: Any, **kwargs: Any) -> CommandParser:
        parser = super().create_parser(*args, **kwargs)
        # The help is laid out by hand.
        parser.formatter_class = RawDescriptionHelpFormatter
        return parser

    def add_arguments(self, parser: CommandParser) -> None:
        verbs = parser.add_subparsers(dest="verb", required=True)
        start = verbs.add_parser("start", help="Start a sweep.")
        start.add_argument("document", type=Path)
        start.add_argument("--as", required=True, dest="username")
        start.add_argument("--wait", action="store_true")
        for verb, says in (
            ("status", "Where it stands."),
            ("best", "The manifest of its best trial."),
            ("cancel", "Stop it."),
        ):
            row = verbs.add_parser(verb, help=says)
            row.add_argument("sweep", help="its id")
            if verb == "cancel":
                row.add_argument("--as", required=True, dest="username")
        for parsed in verbs.choices.values():
            parsed.add_argument("--json", action="store_true", dest="as_json")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            shown = getattr(self, f"_{options['verb']}")(options)
        except PlatformError as error:
            raise CommandError(error.message) from error
        if options["as_json"] or options["verb"] == "best":
            self.stdout.write(json.dumps(shown, indent=2, sort_keys=True))
        else:
            self._print(shown)

    def _start(self, options: Shown) -> Shown:
        path = options["document"]
        try:
            document = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise InvalidInput(f"{path} cannot be read as JSON: {error}") from error
        sweep = services.start_sweep(
            actor=staff_actor(options["username"]), document=document
        )
        if options["wait"]:
            self._watch(str(sweep.pk))
        return sweep_status(sweep_by_id(str(sweep.pk)))

    def _watch(self, sweep_id: str) -> None:
        shown = sweep_status(sweep_by_id(sweep_id))
        with tqdm(total=shown["trials_asked"], unit="trial") as bar:
            while True:
                bar.n = shown["trials_made"] - shown["trials_running"]
                best = shown["best"]
                bar.set_postfix_str(f"best {best['score']:.4f}" if best else "")
                if shown["state"] != "running":
                    return
                time.sleep(POLL_S)
                shown = sweep_status(sweep_by_id(sweep_id))

    def _status(self, options: Shown) -> Shown:
        return sweep_status(sweep_by_id(options["sweep"]))

    def _best(self, options: Shown) -> Shown:
        return services.best_manifest(sweep_by_id(options["sweep"]))

    def _cancel(self, options: Shown) -> Shown:
        sweep = services.cancel_sweep(
            actor=staff_actor(options["username"]), sweep_id=options["sweep"]
        )
        return sweep_status(sweep)

    def _print(self, shown: Shown) -> None:
        best = shown["best"]
        self.stdout.write(
            f"sweep {shown['sweep']} of {shown['model']}: {shown['state']} "
            f"{shown['failure']}".rstrip()
        )
        self.stdout.write(
            f"{shown['trials_made']} of {shown['trials_asked']} trials made, "
            f"{shown['trials_running']} running"
        )
        if best:
            self.stdout.write(
                f"best: trial {best['trial']} {shown['metric']} {best['score']:.4f} "
                f"with {json.dumps(best['values'], sort_keys=True)}"
            )
        for name, share in shown["importance"].items():
            self.stdout.write(f"  {name:<20} {share:.1%} of what mattered")
        for trial in shown["trials"]:
            score = "-" if trial["score"] is None else f"{trial['score']:.4f}"
            values = json.dumps(trial["values"], sort_keys=True)
            self.stdout.write(
                f"{trial['trial']:>4} {trial['state']:<9} {score:>9} "
                f"step {trial['step']:>6}  {values}"
            )
