"""``manage.py train_gates``: make the shipped gate weights again from labelled text."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, cast

from django.core.management.base import BaseCommand
from tqdm import tqdm  # type: ignore[import-untyped]

from apps.safety.runtime.linear import SHIPPED

if TYPE_CHECKING:
    from apps.safety.training.train import Recipe


class Command(BaseCommand):
    help = "Train the gate models on a folder of labelled text (an hour on two cores)."

    # The checks want the very weights that this command may have to make.
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("--data", type=Path, required=True, help="labelled folder")
        parser.add_argument("--out", type=Path, default=SHIPPED, help="where to write")
        parser.add_argument("--seed", type=int, default=7)
        parser.add_argument(
            "--part",
            choices=("all", "linear", "encoder", "join", "names"),
            default="all",
            help="which model; join only fits anew how linear and encoder go together",
        )
        parser.add_argument(
            "--no-teacher", action="store_true", help="leave word vectors out"
        )
        parser.add_argument(
            "--trial", action="store_true", help="seconds: tries the machinery out only"
        )

    def handle(self, *args: object, **options: object) -> None:
        # Training libraries are needed here only, never by a serving process.
        from apps.safety.training.train import Recipe

        seed, teacher = cast(int, options["seed"]), not options["no_teacher"]
        recipe = Recipe(cast(Path, options["data"]), seed, teacher)
        if options["trial"]:
            recipe = replace(recipe, teacher=False, share=0.02, rounds=2)
        out, part = cast(Path, options["out"]), cast(str, options["part"])
        for name, manifest in self._trained(recipe, out, part):
            training = cast(dict[str, object], manifest["training"])
            self.stdout.write(json.dumps({name: training.get("dev")}, indent=1))
            self.stdout.write(f"{manifest['version']} {manifest['digest']}")

    def _trained(
        self, recipe: Recipe, out: Path, part: str
    ) -> Iterator[tuple[str, dict[str, object]]]:
        from apps.safety.training.train import train

        if part in ("all", "linear"):
            yield "linear", train(recipe, out, self._stage)
        if part == "linear":
            return
        # torch takes seconds to load, and only these parts need it.
        from apps.safety.training.encoder import run

        if part in ("all", "encoder"):
            yield "encoder", run.train_encoder(recipe, out, self._stage)
        if part == "join":
            yield "join", run.join(recipe, out, self._stage)
        if part in ("all", "names"):
            yield "names", run.train_names(recipe, out, self._stage)

    def _stage(self, name: str, count: int) -> Callable[..., object]:
        bar = tqdm(total=count, desc=name, file=self.stderr, leave=True)
        return cast(Callable[..., object], bar.update)
