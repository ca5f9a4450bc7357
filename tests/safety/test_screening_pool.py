"""screen_text on two cores: the same lines in the same order, with bounded memory."""

from __future__ import annotations

import io
import json
import random
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from apps.core.errors import Unavailable
from apps.safety import screening_pool
from apps.safety.assembly import runner_for
from apps.safety.management.commands import screen_text
from apps.safety.policy import default_document, default_policy
from apps.safety.screening import ScreenedLine, screen_lines
from apps.safety.screening_pool import BATCHES_AHEAD, Screening
from tests.safety.support import said

SENTENCES = (
    "I had soup today", "I want to kill myself", "mail me at ana@example.org",
    "you idiot", "je me sens seul et je ne dors plus", "call 212-555-0182", "",
)  # fmt: skip


def without_times(line: str) -> dict[str, Any]:
    row: dict[str, Any] = json.loads(line)
    for gate in row["gates"].values():
        gate.pop("ms")
    return row


def rows(count: int) -> list[str]:
    chance = random.Random(5)
    made = []
    for number in range(count):
        kind = chance.random()
        text = {"id": number, "text": chance.choice(SENTENCES) * chance.choice([1, 3])}
        made.append("" if kind < 0.02 else "{oops" if kind < 0.04 else json.dumps(text))
    return made


@pytest.fixture
def screening() -> Screening:
    policy = default_policy()
    return Screening(default_document(), policy.name, policy.version, policy.digest)


def test_two_processes_give_what_one_gives_and_read_little_ahead(
    screening: Screening, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(screening_pool, "BATCH_LINES", 6)
    wanted = [row.encode() for row in rows(67)]
    read: list[bytes] = []

    def lines() -> Iterator[bytes]:
        for line in wanted:
            read.append(line)
            yield line

    out = screening_pool.screen_on_cores(screening, lines(), 2)
    first = next(out)
    ahead = len(read)
    found = [first, *out]

    alone = list(screen_lines(runner_for(default_policy(), thorough=True), wanted))
    assert ahead <= 2 * BATCHES_AHEAD * 6 < len(wanted)
    assert [one.error for one in found] == [one.error for one in alone]
    assert [without_times(one.body) for one in found] == [
        without_times(one.body) for one in alone
    ]


@pytest.mark.django_db
def test_the_command_asks_several_processes_for_many_lines(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(screen_text, "FEW_LINES", 3)
    asked: list[tuple[str, int, int]] = []

    def pool(
        screening: Screening, lines: Iterable[bytes], processes: int
    ) -> Iterator[ScreenedLine]:
        asked.append((screening.digest, processes, len(list(lines))))
        yield ScreenedLine("{}", "oops")

    monkeypatch.setattr(screen_text, "screen_on_cores", pool)
    source, target = tmp_path / "in.jsonl", tmp_path / "out.jsonl"
    source.write_text('{"text": "a"}\n' * 5)

    with pytest.raises(CommandError, match="1 lines could not be read"):
        call_command(
            "screen_text", input=source, output=target, processes=2,
            stderr=io.StringIO(),
        )  # fmt: skip

    assert asked == [(default_policy().digest, 2, 5)]
    assert target.read_text() == "{}\n"


def test_a_process_that_dies_is_said_and_not_waited_for(screening: Screening) -> None:
    # Its policy is not the one of the digest, so no process starts.
    broken = replace(screening, digest="sha256:other")

    with pytest.raises(Unavailable, match="A screening process died"):
        list(screening_pool.screen_on_cores(broken, [b'{"text": "a"}'], 1))


def test_short_files_stay_in_one_process(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def never(*_: object) -> Iterator[object]:
        raise AssertionError("no pool for a few lines")

    monkeypatch.setattr(screen_text, "screen_on_cores", never)
    options = {"processes": 2, "explain": 0}
    line = json.dumps({"text": said("soup").text}).encode()

    found = list(screen_text._screened(default_policy(), iter([line]), options))

    assert [one.error for one in found] == [""]
