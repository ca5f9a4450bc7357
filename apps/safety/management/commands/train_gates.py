"""``manage.py train_gates``: make the shipped gate weights again from labelled text."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import cast

from django.core.management.base import BaseCommand
from tqdm import tqdm  # type: ignore[import-untyped]

from apps.safety.runtime.linear import SHIPPED


class Command(BaseCommand):
    help = "Train the gate classifier on a folder of labelled text (about 5 minutes)."

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("--data", type=Path, required=True, help="labelled folder")
        parser.add_argument("--out", type=Path, default=SHIPPED, help="where to write")
        parser.add_argument("--seed", type=int, default=7)
        parser.add_argument(
            "--no-teacher", action="store_true", help="leave word vectors out"
        )
        parser.add_argument(
            "--trial", action="store_true", help="seconds: tries the machinery out only"
        )

    def handle(self, *args: object, **options: object) -> None:
        # scipy and the generators are needed here only, never by a serving process.
        from apps.safety.training.train import Recipe, train

        seed, teacher = cast(int, options["seed"]), not options["no_teacher"]
        recipe = Recipe(cast(Path, options["data"]), seed, teacher)
        if options["trial"]:
            recipe = replace(recipe, teacher=False, share=0.02, rounds=2)
        manifest = train(recipe, cast(Path, options["out"]), self._stage)
        training = cast(dict[str, object], manifest["training"])
        self.stdout.write(json.dumps(training["dev"], indent=1))
        self.stdout.write(f"{manifest['version']} {manifest['digest']}")

    def _stage(self, name: str, count: int) -> Callable[[], object]:
        bar = tqdm(total=count, desc=name, file=self.stderr, leave=True)
        return cast(Callable[[], object], bar.update)
