"""``manage.py replay_request ID --actor NAME``: what would differ today, gate by gate.

It prints numbers, codes and versions, never the words.
"""

from __future__ import annotations

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from apps.core.errors import PlatformError
from apps.inference.replaying import (
    GateChange,
    Replay,
    record_to_replay,
    render_replay,
    replay_request,
)
from apps.models_registry.management.staff import staff_actor


class Command(BaseCommand):
    help = "Decide a stored request again with today's gates and policy; audited."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("request_id", help="the id that the response named")
        parser.add_argument("--actor", required=True, help="the person who asks")
        parser.add_argument("--format", choices=["text", "json"], default="text")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            replay = replay_request(
                actor=staff_actor(options["actor"]),
                record=record_to_replay(options["request_id"]),
            )
        except PlatformError as error:
            raise CommandError(error.message) from error
        if options["format"] == "json":
            self.stdout.write(json.dumps(render_replay(replay), indent=2))
            return
        self._tell(replay)

    def _tell(self, replay: Replay) -> None:
        then, now = replay.then_policy, replay.now_policy
        self.stdout.write(f"decision: {replay.then_decision} -> {replay.now_decision}")
        self.stdout.write(
            f"policy:   {then.name} v{then.version} -> {now.name} v{now.version}"
        )
        for change in replay.changes:
            self.stdout.write(_line(change))
        if replay.model_would_be_asked:
            self.stdout.write("The input passes today; no reply was kept to judge.")
        same = "Nothing would differ." if replay.is_same else "It would differ."
        self.stdout.write(same)


def _line(change: GateChange) -> str:
    place = f"{change.stage.value:6} {change.gate:16}"
    if change.then is None or change.now is None:
        return f"{place} {'new' if change.then is None else 'not asked'}"
    before, after = change.then, change.now
    told = [
        f"{name} {before.get(name)} -> {after.get(name)}" for name in change.differs
    ]
    return f"{place} {', '.join(told) or 'same'}"
