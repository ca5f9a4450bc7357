"""``manage.py promotion_policy``: what reports must show, and accepted risks."""

from __future__ import annotations

import json
from argparse import RawDescriptionHelpFormatter
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from apps.core.errors import InvalidInput, PlatformError
from apps.experiments import services
from apps.experiments.selectors.promotion import standing_of
from apps.models_registry.management.staff import staff_actor
from apps.models_registry.selectors import version_numbered

HELP = """Say what a version's reports must show before it may be promoted.

  promotion_policy submit policy.json --as olga       in force once two have signed
  promotion_policy check MODEL NUMBER                 exits 1 when it refuses
  promotion_policy accept MODEL NUMBER --rule safety/over_refusal/all \\
      --days 30 --reason "..." --as clara             another person has to sign
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
        submit = verbs.add_parser("submit", help="Submit a policy for sign-off.")
        submit.add_argument("document", type=Path)
        check = verbs.add_parser("check", help="How a version stands.")
        accept = verbs.add_parser("accept", help="Answer for a rule it misses.")
        for row in (check, accept):
            row.add_argument("model")
            row.add_argument("number", type=int)
        accept.add_argument("--rule", required=True)
        accept.add_argument("--reason", required=True)
        accept.add_argument("--days", type=int, required=True)
        for row in (submit, accept):
            row.add_argument("--as", required=True, dest="username")
        for row in verbs.choices.values():
            row.add_argument("--json", action="store_true", dest="as_json")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            shown = getattr(self, f"_{options['verb']}")(options)
        except PlatformError as error:
            raise CommandError(error.message) from error
        if options["as_json"]:
            self.stdout.write(json.dumps(shown, indent=2, sort_keys=True))
        else:
            self._print(shown)
        if shown.get("refused"):
            raise CommandError("The promotion policy refuses this version.")

    def _submit(self, options: Shown) -> Shown:
        path = options["document"]
        try:
            document = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise InvalidInput(f"{path} cannot be read as JSON: {error}") from error
        policy = services.submit_policy(
            actor=staff_actor(options["username"]), document=document
        )
        return {"policy": str(policy.pk), "state": policy.state}

    def _check(self, options: Shown) -> Shown:
        version = version_numbered(options["model"], options["number"])
        return standing_of(version).as_dict()

    def _accept(self, options: Shown) -> Shown:
        version = version_numbered(options["model"], options["number"])
        risk = services.accept_risk(
            actor=staff_actor(options["username"]),
            version_id=str(version.pk),
            rule=options["rule"],
            reason=options["reason"],
            days=options["days"],
        )
        return {"risk": str(risk.pk), "state": risk.state}

    def _print(self, shown: Shown) -> None:
        for found in shown.pop("findings", ()):
            mark = "met" if found["met"] else found["why"]
            part = f" {found['slice']}" if found["slice"] else ""
            self.stdout.write(f"{found['rule']}{part}: {found['needed']}: {mark}")
        for name, value in shown.items():
            words = ", ".join(value) or "none" if isinstance(value, list) else value
            self.stdout.write(f"{name.replace('_', ' ')}: {words}")
