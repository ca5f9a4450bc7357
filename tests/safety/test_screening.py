"""screen_text: one line out for each line in, whatever the line holds."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from apps.safety.assembly import runner_for
from apps.safety.pipeline import GateRunner
from apps.safety.policy import GATE_ORDER, default_policy
from apps.safety.screening import screen_lines
from tests.safety.support import kit
from tests.safety.test_gate_contract import GATES

RUNNER = GateRunner([gate(kit()) for gate in GATES], default_policy())


def screened(*rows: object) -> list[dict[str, Any]]:
    lines = [
        row if isinstance(row, bytes) else json.dumps(row).encode() for row in rows
    ]
    return [json.loads(line.body) for line in screen_lines(RUNNER, lines)]


def test_a_line_has_exactly_the_published_keys() -> None:
    (line,) = screened({"id": "a", "text": "mail me at ana@example.org"})

    assert list(line) == ["id", "decision", "gates", "masked_text"]
    assert list(line["gates"]) == list(GATE_ORDER)
    assert list(line["gates"]["privacy"]) == [
        "decision", "score", "threshold", "reasons", "spans", "ms",
    ]  # fmt: skip
    assert line["decision"] == "mask"
    assert line["masked_text"] == "mail me at [EMAIL]"
    assert line["gates"]["privacy"]["spans"] == [[11, 26, "EMAIL"]]


def test_lines_come_out_in_order_and_blank_ones_are_passed_over() -> None:
    lines = screened({"text": "a"}, b"\n", {"text": "b", "id": 7}, {"text": "c"})

    assert [line["id"] for line in lines] == [1, 7, 4]


@pytest.mark.parametrize("stage", ["input", "output"])
def test_every_gate_scores_on_either_stage(stage: str) -> None:
    (line,) = screened({"text": "women are all too emotional", "stage": stage})

    scores = [gate["score"] for gate in line["gates"].values()]
    assert all(isinstance(score, float) and 0 <= score <= 1 for score in scores)
    assert line["gates"]["bias"]["score"] > 0.3


def test_a_gate_of_the_other_stage_scores_but_does_not_decide() -> None:
    (line,) = screened({"text": "kindly note my key sk-abcdefghijklmnop1234567890"})

    assert line["decision"] == "allow"
    assert line["gates"]["redaction"]["decision"] == "allow"
    assert line["gates"]["redaction"]["score"] > 0.9


def test_context_reaches_the_gates() -> None:
    alone, after = screened(
        {"text": "goodbye"}, {"text": "goodbye", "context": ["I want to kill myself"]}
    )

    assert after["gates"]["crisis"]["score"] > alone["gates"]["crisis"]["score"]


@pytest.mark.parametrize(
    "bad",
    [
        b"{",
        b"\xff\xfe{}",
        b"[]",
        b'"text"',
        b"null",
        b'{"text": 5}',
        b'{"id": 1}',
        b'{"text": "a", "stage": "middle"}',
        b'{"text": "a", "stage": []}',
        b'{"text": "a", "context": "b"}',
        b'{"text": "a", "context": [1]}',
        b'{"text": "a", "locale": 3}',
        b'{"text": "a", "id": [1]}',
        b"[" * 5000,
    ],
    ids=range(14),
)
def test_an_unreadable_line_is_blocked_with_an_error_and_the_rest_go_on(
    bad: bytes,
) -> None:
    first, second = screened(bad, {"text": "hello"})

    assert first["decision"] == "block"
    assert first["id"] == 1
    assert first["error"]
    assert second["decision"] == "allow"


def test_unpaired_surrogates_and_nul_survive() -> None:
    (line,) = screened(b'{"text": "\\ud800 a\\u0000b \\udfff", "id": "\\udc00"}')

    assert line["masked_text"] == "\ud800 a\x00b \udfff"
    assert line["id"] == "\udc00"


def test_nothing_is_kept_between_lines() -> None:
    a = screened({"text": "I want to die"}, {"text": "soup"})[1]
    b = screened({"text": "soup"})[0]

    assert a["gates"]["crisis"]["score"] == b["gates"]["crisis"]["score"]


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    path = tmp_path / "in.jsonl"
    path.write_text('{"text": "hello"}\n{"text": "I want to die", "locale": "en-GB"}\n')
    return path


@pytest.mark.django_db
def test_command_writes_one_line_each_and_says_the_policy_is_the_default(
    archive: Path, tmp_path: Path
) -> None:
    out, said = tmp_path / "out.jsonl", io.StringIO()

    call_command("screen_text", input=archive, output=out, stderr=said)

    lines = [json.loads(line) for line in out.read_text("ascii").splitlines()]
    assert [line["decision"] for line in lines] == ["allow", "escalate"]
    assert "default document" in said.getvalue()
    assert "2 lines screened, 0 unreadable" in said.getvalue()
    assert not out.with_name("out.jsonl.partial").exists()


@pytest.mark.django_db
def test_command_fails_at_the_end_when_a_line_was_unreadable(
    archive: Path, tmp_path: Path
) -> None:
    archive.write_text('oops\n{"text": "hello"}\n')
    out = tmp_path / "out.jsonl"

    with pytest.raises(CommandError, match="1 lines could not be read"):
        call_command("screen_text", input=archive, output=out, stderr=io.StringIO())

    assert len(out.read_text().splitlines()) == 2


@pytest.mark.django_db
def test_command_refuses_an_unknown_policy(archive: Path, tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="No policy named strict"):
        call_command(
            "screen_text",
            input=archive,
            output=tmp_path / "o",
            policy="strict",
            stderr=io.StringIO(),
        )


def test_command_refuses_a_missing_file_and_its_own_input(archive: Path) -> None:
    with pytest.raises(CommandError, match="No such file"):
        call_command("screen_text", input=archive.with_name("x"), output=archive)
    with pytest.raises(CommandError, match="another file"):
        call_command("screen_text", input=archive, output=archive)


def test_explaining_adds_positions_and_no_word() -> None:
    text = "soup today. I want to kill myself tonight"
    line = json.dumps({"text": text}).encode()

    out = next(screen_lines(runner_for(default_policy()), [line], explain=2))

    moved = json.loads(out.body)["gates"]["crisis"]["moved"]
    said = [text[int(start) : int(end)] for start, end, _by in moved]
    assert 1 <= len(said) <= 2
    assert {"kill", "myself"} & set(" ".join(said).split())
