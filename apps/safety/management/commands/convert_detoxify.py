"""``manage.py convert_detoxify``: a checkpoint in, a safetensors folder out."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from apps.core.errors import PlatformError
from apps.safety.runtime.detoxify import convert


class Command(BaseCommand):
    help = (
        "Convert a Detoxify checkpoint without unpickling code. Nothing is downloaded: "
        "bring the checkpoint, its sha256, and a folder with the base model's config "
        "and tokenizer."
    )
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--checkpoint", required=True, type=Path)
        parser.add_argument("--digest", required=True, metavar="sha256:HEX")
        parser.add_argument("--base", required=True, type=Path, metavar="FOLDER")
        parser.add_argument("--output", required=True, type=Path, metavar="FOLDER")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            made = convert(
                options["checkpoint"],
                options["digest"],
                options["base"],
                options["output"],
            )
        except PlatformError as error:
            raise CommandError(error.message) from error
        except OSError as error:
            raise CommandError(f"{error.filename}: {error.strerror}") from error
        judge = {
            "class": "apps.safety.judges.local.FolderTextJudge",
            "folder": str(options["output"]),
            "digest": made.digest,
            "labels": {"toxicity": list(made.labels)},
        }
        self.stderr.write(f"Converted; golden scores agree: {len(made.golden)} texts")
        self.stdout.write(json.dumps({"detoxify": judge}, indent=2))
