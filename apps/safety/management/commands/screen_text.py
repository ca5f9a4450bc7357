"""``manage.py screen_text``: run the gates over an archive of JSON lines.

For compliance staff. It stores nothing in the database and prints no text.
"""

from __future__ import annotations

import contextlib
import os
import sys
import time
from argparse import ArgumentParser
from collections.abc import Iterator
from itertools import chain, islice
from pathlib import Path
from typing import Any, BinaryIO

from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError

from apps.core.errors import Unavailable
from apps.safety.assembly import runner_for
from apps.safety.errors import PolicyMissing
from apps.safety.policy import Policy, default_policy
from apps.safety.screening import ScreenedLine, screen_lines
from apps.safety.screening_pool import Screening, cores, screen_on_cores
from apps.safety.selectors import document_of, policy_in_force

_REFRESH_S = 0.5
FEW_LINES = 500


class Command(BaseCommand):
    help = "Screen JSON lines through the six gates; one line out for each line in."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--input", required=True, type=Path, metavar="FILE.jsonl")
        parser.add_argument("--output", required=True, type=Path, metavar="FILE.jsonl")
        parser.add_argument("--policy", metavar="NAME", help="policy to screen with")

        parser.add_argument(
            "--processes",
            type=int,
            default=0,
            metavar="N",
            choices=range(1, 129),
            help="processes to screen with; by default one for each core",
        )
        parser.add_argument(
            "--explain",
            type=int,
            default=0,
            metavar="N",
            help="also N spans that moved each score, as positions; many times slower",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        source, target = options["input"], options["output"]
        if not source.is_file():
            raise CommandError(f"No such file: {source}")
        if target.exists() and target.samefile(source):
            raise CommandError("--output must be another file than --input")
        policy = self._policy(options["policy"])
        partial = target.with_name(target.name + ".partial")
        unread = total = 0
        with source.open("rb") as lines, partial.open("w", encoding="ascii") as out:
            read = self._with_progress(lines, source)
            try:
                for line in _screened(policy, read, options):
                    out.write(line.body + "\n")
                    total += 1
                    unread += bool(line.error)
            except Unavailable as error:
                raise CommandError(f"{error.message} {total} lines done.") from error
        partial.replace(target)
        self.stderr.write(f"{total} lines screened, {unread} unreadable")
        if unread:
            raise CommandError(f"{unread} lines could not be read; see their error")

    def _policy(self, name: str | None) -> Policy:
        """The named policy in force; without a name, else the shipped document."""
        try:
            return policy_in_force(name)
        except (PolicyMissing, DatabaseError) as error:
            if name:
                raise CommandError(f"No policy named {name} is in force") from error
            self.stderr.write(
                "No policy is in force: screening with the default document that "
                "ships with the platform, which nobody has approved."
            )
            return default_policy()

    def _with_progress(self, lines: BinaryIO, source: Path) -> Iterator[bytes]:
        if not sys.stderr.isatty():
            yield from lines
            return
        size, done, shown = max(1, os.stat(source).st_size), 0, 0.0
        for number, line in enumerate(lines, start=1):
            yield line
            done += len(line)
            if time.monotonic() - shown > _REFRESH_S:
                shown = time.monotonic()
                _show(done / size, number)
        with contextlib.suppress(BrokenPipeError):
            _show(1.0, number if done else 0)
            sys.stderr.write("\n")


def _screened(
    policy: Policy, lines: Iterator[bytes], options: dict[str, Any]
) -> Iterator[ScreenedLine]:
    """On one core what is short, since loading the gates anew takes seconds."""
    few = list(islice(lines, FEW_LINES))
    processes, explain = options["processes"] or cores(), options["explain"]
    if processes == 1 or len(few) < FEW_LINES:
        yield from screen_lines(
            runner_for(policy, thorough=True), chain(few, lines), explain
        )
        return
    screening = Screening(
        document_of(policy), policy.name, policy.version, policy.digest, explain
    )
    yield from screen_on_cores(screening, chain(few, lines), processes)


def _show(share: float, number: int) -> None:
    bar = "#" * int(30 * share)
    sys.stderr.write(f"\r[{bar:<30}] {share:6.1%}  {number} lines")
    sys.stderr.flush()
