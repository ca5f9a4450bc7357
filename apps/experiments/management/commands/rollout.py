"""``manage.py rollout``: plan, start, lead on, watch and stop rollouts from a shell."""

from __future__ import annotations

import json
from argparse import RawDescriptionHelpFormatter
from collections.abc import Callable
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from apps.accounts.permissions import system_actor
from apps.core.errors import InvalidInput, PlatformError
from apps.experiments import services
from apps.experiments.models import Rollout
from apps.experiments.rollouts.plan import default_plan
from apps.experiments.rollouts.power import Harm, share_of, units_needed
from apps.experiments.selectors.rollouts import preview_of, rollout_by_id, status_of
from apps.models_registry.management.staff import staff_actor

HELP = """Lead a candidate version past people, one signed step at a time.

  rollout plan MODEL NUMBER > plan.json          a plan to begin with
  rollout draft plan.json --as olga              draft it and ask for sign-off
  rollout start ID --as olga                     once two people have signed
  rollout status ID                              arms, intervals, what it waits for
  rollout step ID --as olga                      to the next step
  rollout complete ID --arm candidate --as olga --reason "as good, and faster"
  rollout stop ID --as olga --reason "odd replies"   the kill switch
  rollout watch                                  look once, as beat does
  rollout power --base 0.02 --change 0.02 --share 0.05   how many units it takes
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
        plan = verbs.add_parser("plan", help="Print a plan to begin with.")
        plan.add_argument("model")
        plan.add_argument("number", type=int)
        draft = verbs.add_parser("draft", help="Draft a plan, ask for sign-off.")
        draft.add_argument("plan", type=Path)
        power = verbs.add_parser("power", help="Units until a harm is seen.")
        power.add_argument("--base", type=float, required=True)
        power.add_argument("--change", type=float, required=True)
        power.add_argument("--share", type=float, required=True)
        power.add_argument("--margin", type=float, default=0.0)
        power.add_argument("--alpha", type=float, default=0.05 / 28)
        power.add_argument("--power", type=float, default=0.8)
        verbs.add_parser("watch", help="Look at every running rollout once.")
        rows = {
            "preview": "What it would touch.",
            "start": "Start an approved rollout.",
            "status": "Arms with intervals, breaches, what it waits for.",
            "step": "Lead it to its next step.",
            "stop": "Send everybody back to production.",
            "complete": "Promote an arm and end.",
        }
        for verb, says in rows.items():
            row = verbs.add_parser(verb, help=says)
            row.add_argument("rollout", help="its id")
            if verb in {"stop", "complete"}:
                row.add_argument("--reason", required=True)
            if verb == "complete":
                row.add_argument("--arm", required=True)
        for verb, parsed in verbs.choices.items():
            if verb in {"draft", "start", "step", "stop", "complete"}:
                parsed.add_argument("--as", required=True, dest="username")
            parsed.add_argument("--json", action="store_true", dest="as_json")

    def handle(self, *args: Any, **options: Any) -> None:
        act: Callable[[Shown], Shown] = getattr(self, f"_{options['verb']}")
        try:
            shown = act(options)
        except PlatformError as error:
            raise CommandError(error.message) from error
        if options["as_json"] or options["verb"] == "plan":
            self.stdout.write(json.dumps(shown, indent=2, sort_keys=True, default=str))
        else:
            self._print(shown)

    # -- verbs -------------------------------------------------------------------------
    def _plan(self, options: Shown) -> Shown:
        return default_plan(options["model"], options["number"])

    def _draft(self, options: Shown) -> Shown:
        try:
            document = json.loads(options["plan"].read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise InvalidInput(f"{options['plan']} cannot be read as JSON.") from error
        actor = staff_actor(options["username"])
        rollout = services.draft_rollout(actor=actor, document=document)
        services.submit_rollout(actor=actor, rollout_id=str(rollout.pk))
        return self._shown(str(rollout.pk))

    def _preview(self, options: Shown) -> Shown:
        return preview_of(rollout_by_id(options["rollout"]))

    def _status(self, options: Shown) -> Shown:
        return self._shown(options["rollout"])

    def _start(self, options: Shown) -> Shown:
        return self._moved(options, services.start_rollout)

    def _step(self, options: Shown) -> Shown:
        return self._moved(options, services.step_rollout)

    def _stop(self, options: Shown) -> Shown:
        return self._moved(options, services.stop_rollout, reason=options["reason"])

    def _complete(self, options: Shown) -> Shown:
        return self._moved(
            options,
            services.complete_rollout,
            reason=options["reason"],
            arm=options["arm"],
        )

    def _watch(self, options: Shown) -> Shown:
        taken_back = services.watch_rollouts(actor=system_actor("rollouts"))
        return {"rolled_back": taken_back}

    def _power(self, options: Shown) -> Shown:
        harm = Harm(
            options["base"], options["change"], options["share"], options["margin"]
        )
        units = units_needed(harm, options["alpha"], options["power"])
        return {"units": units, "of_the_candidate": share_of(units, harm.share)}

    def _moved(
        self, options: Shown, service: Callable[..., Rollout], **given: str
    ) -> Shown:
        actor = staff_actor(options["username"])
        moved = service(actor=actor, rollout_id=options["rollout"], **given)
        return self._shown(str(moved.pk))

    def _shown(self, rollout_id: str) -> Shown:
        return status_of(rollout_by_id(rollout_id))

    # -- printing ----------------------------------------------------------------------
    def _print(self, shown: Shown) -> None:
        findings = shown.pop("findings", None)
        for name, value in shown.items():
            self.stdout.write(f"{name.replace('_', ' '):<18} {_words(value)}")
        for arm in findings["arms"] if findings else ():
            self.stdout.write(
                f"\n{arm['name']}: {arm['share']:.1%} of traffic, "
                f"{arm['units']} units, {arm['requests']} requests, "
                f"{arm['latency_ms']:.1f} ms"
            )
            for rate in arm["rates"]:
                self.stdout.write("  " + _rate(rate))


def _words(value: object) -> str:
    if isinstance(value, list | tuple):
        return "; ".join(map(str, value)) or "none"
    return str(value)


def _rate(rate: Shown) -> str:
    line = (
        f"{rate['guard']:<12} {rate['value']:.3%} "
        f"[{rate['low']:.3%}, {rate['high']:.3%}]"
    )
    if rate["change"] is None:
        return line
    return (
        f"{line}  {rate['change']:+.3%} "
        f"[{rate['change_low']:+.3%}, {rate['change_high']:+.3%}] "
        f"margin {rate['margin']:.3%}{'  BREACH' if rate['breach'] else ''}"
    )
