"""``manage.py plan_capacity``: what policies would cost, how long tasks would wait."""

from __future__ import annotations

import json
from argparse import RawDescriptionHelpFormatter
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from apps.core.errors import InvalidInput, PlatformError
from apps.experiments.capacity.planner import Policy
from apps.experiments.capacity.simulator import SHAPES, Load, Result, simulate

HELP = """Compare scaling policies on simulated load, side by side.

  plan_capacity --load wave --rate 0.2 --service 30 --hours 24 --price 2.5
  plan_capacity --load burst --rate 1 --service 10 --policies policies.json --json

policies.json is a list of objects with the fields of a policy: name, target_wait_s,
least, most, cooldown_s, scales_to_zero, budget (money an hour), rate (money a replica
and hour; --price where it is left out). Without it three usual ones are compared.
"""


class Command(BaseCommand):
    help = HELP

    def create_parser(self, *args: Any, **kwargs: Any) -> CommandParser:
        parser = super().create_parser(*args, **kwargs)
        # The help is laid out by hand.
        parser.formatter_class = RawDescriptionHelpFormatter
        return parser

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--load", choices=sorted(SHAPES), default="wave")
        parser.add_argument("--rate", type=float, required=True, help="tasks a second")
        parser.add_argument("--service", type=float, required=True, help="seconds each")
        parser.add_argument("--hours", type=float, default=24.0)
        parser.add_argument("--seed", type=int, default=1)
        parser.add_argument(
            "--start", type=float, default=30.0, help="seconds to start"
        )
        parser.add_argument(
            "--target", type=float, default=60.0, help="seconds to wait"
        )
        parser.add_argument("--most", type=int, default=100)
        parser.add_argument(
            "--price", type=float, default=1.0, help="money a replica and hour"
        )
        parser.add_argument("--policies", type=Path)
        parser.add_argument("--json", action="store_true", dest="as_json")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            load = Load(
                options["load"],
                options["rate"],
                options["hours"],
                options["service"],
                options["seed"],
            )
            results = [
                simulate(policy, load, start_s=options["start"])
                for policy in _policies(options)
            ]
        except PlatformError as error:
            raise CommandError(error.message) from error
        if options["as_json"]:
            shown = {"load": asdict(load), "results": [asdict(one) for one in results]}
            self.stdout.write(json.dumps(shown, indent=2))
        else:
            self._print(results)

    def _print(self, results: list[Result]) -> None:
        self.stdout.write(
            f"{'policy':<16}{'tasks':>8}{'median s':>10}{'p95 s':>9}{'p99 s':>9}"
            f"{'late':>8}{'peak':>6}{'cost':>11}{'each':>10}{'waste':>8}"
        )
        for one in results:
            self.stdout.write(
                f"{one.policy:<16}{one.tasks:>8}{one.wait_median_s:>10.1f}"
                f"{one.wait_p95_s:>9.1f}{one.wait_p99_s:>9.1f}{one.late:>8.1%}"
                f"{one.peak_replicas:>6}{one.cost:>11.2f}{one.cost_per_task:>10.4f}"
                f"{one.waste:>8.1%}"
            )


def _policies(options: dict[str, Any]) -> list[Policy]:
    if options["policies"] is None:
        return _usual(options)
    path = options["policies"]
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        return [Policy(**{"rate": options["price"], **one}) for one in content]
    except (OSError, ValueError, TypeError) as error:
        names = ", ".join(field.name for field in fields(Policy))
        raise InvalidInput(
            f"{path} is not a list of objects with the fields {names}."
        ) from error


def _usual(options: dict[str, Any]) -> list[Policy]:
    """As many as the mean needs twice over, always; as needed; as needed or none."""
    busy = options["rate"] * options["service"]
    most, target, rate = options["most"], options["target"], options["price"]
    fixed = max(1, min(most, round(2 * busy + 1)))
    return [
        Policy("fixed", target, least=fixed, most=fixed, rate=rate),
        Policy("as needed", target, least=1, most=most, rate=rate),
        Policy(
            "down to none", target, least=0, most=most, scales_to_zero=True, rate=rate
        ),
    ]
