"""The fail-mode matrix as Markdown and as JSON values, from what was observed."""

from __future__ import annotations

from collections.abc import Sequence

from apps.safety.contracts import Decision, Stage
from apps.safety.fail_modes import FailMode, Outcome

_HEAD = """\
# Fail modes

<!-- Written by `manage.py fail_modes --format md`; a test compares. -->

What comes of each way in which a gate can fail. Every cell was observed: the command
breaks a stand-in for the configured gate in that way and lets the runner that serves
requests judge it. `tests/safety/test_fail_modes.py` breaks the gates themselves and
finds the same. No cell can read ALLOW: a gate's failure decision has no such member.
"""
_TAIL = """\
A cell is the gate's own decision; the strictest of all gates is the answer, so a
language that no gate knows comes to the crisis gate's ESCALATE. Nothing else having
been seen, the person is then told in that language, where a text for it is approved,
that it cannot be read yet, with contacts.

On `oversized text` the gate answers: text is read in overlapping windows, all of them,
and the strictest window decides. The cell shows what a sign in the last window comes
to. The API refuses text longer than the key's tier allows before that, with contacts.

A deadline is checked when a gate returns. Python cannot interrupt a gate that never
does: the web server ends such a worker, and that request gets no answer at all.

Weights are read once, when a process starts. When they are missing or are not the
bytes of their digest, the process refuses to serve; should one be asked all the same,
it answers 503 with the fixed *unavailable* text and the locale's contacts. The cells
show what happens when a gate finds this out while it is asked.

| decision | what the person gets |
| --- | --- |
| ESCALATE | the fixed crisis text with contacts; a case is opened first |
| BLOCK | the fixed text for blocked replies with contacts; nothing of a model |
"""
_MEANING = {
    FailMode.EXCEPTION: "the gate raises",
    FailMode.TIMEOUT: "the gate answers after its deadline",
    FailMode.MISSING_WEIGHTS: "what the gate reads its weights or lists from is gone",
    FailMode.CORRUPT_WEIGHTS: "weights are not the bytes of their digest",
    FailMode.OUT_OF_MEMORY: "the gate cannot allocate what it needs",
    FailMode.UNSUPPORTED_LANGUAGE: "a locale or script the gate was not made for",
    FailMode.FOREIGN_TEXT: "text that reads as another language than its locale's",
    FailMode.OVERSIZED_TEXT: "more text than one window holds",
}


def as_markdown(outcomes: Sequence[Outcome]) -> str:
    """The page docs/gates/fail-modes.md."""
    return "\n".join(
        [_HEAD, *_matrix(outcomes), "", *_codes(outcomes), "", _TAIL.rstrip(), ""]
    )


def as_rows(outcomes: Sequence[Outcome]) -> list[dict[str, object]]:
    """One JSON object for each gate, stage and failure."""
    return [
        {
            "gate": one.gate,
            "stage": one.stage.value,
            "failure": one.mode.value,
            "decision": one.decision.slug,
            "reason": one.reason,
            "failed": one.failed,
            "text_withheld": one.is_text_withheld,
        }
        for one in outcomes
    ]


def as_table(outcomes: Sequence[Outcome]) -> list[tuple[str, Stage, list[Decision]]]:
    """Gate, stage and one decision for each FailMode, in order."""
    places = dict.fromkeys((one.gate, one.stage) for one in outcomes)
    found = {(one.gate, one.stage, one.mode): one.decision for one in outcomes}
    return [
        (gate, stage, [found[gate, stage, mode] for mode in FailMode])
        for gate, stage in places
    ]


def _matrix(outcomes: Sequence[Outcome]) -> list[str]:
    lines = [
        f"| gate | stage | {' | '.join(mode.label for mode in FailMode)} |",
        "| --- | --- |" + " --- |" * len(FailMode),
    ]
    for gate, stage, decisions in as_table(outcomes):
        cells = " | ".join(decision.name for decision in decisions)
        lines.append(f"| {gate} | {stage.value} | {cells} |")
    return lines


def _codes(outcomes: Sequence[Outcome]) -> list[str]:
    lines = ["| failure | means | reason code | text |", "| --- | --- | --- | --- |"]
    for mode in FailMode:
        rows = [one for one in outcomes if one.mode is mode]
        codes = {one.reason.partition(".")[2] for one in rows} - {""}
        code = ", ".join(f"`GATE.{code}`" for code in sorted(codes)) or "the gate's own"
        withheld = sorted({one.gate for one in rows if one.is_text_withheld})
        text = f"withheld for {', '.join(withheld)}" if withheld else "masked as found"
        lines.append(f"| {mode.label} | {_MEANING[mode]} | {code} | {text} |")
    return lines
