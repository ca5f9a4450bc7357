"""Screens an archive line by line; stores nothing and forgets each line at once.

Unlike a request, every gate is asked on every line whatever its stage: compliance wants
the score of each. Only the gates of the line's own stage decide.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from apps.core.errors import InvalidInput
from apps.safety.contracts import Decision, Gate, Inspection, Stage, Verdict
from apps.safety.explaining import explain_gate
from apps.safety.pipeline import GateRunner, conclude

DEFAULT_LOCALE = "en"
_DEADLINE_MS = 60_000.0


@dataclass(frozen=True, slots=True)
class ScreenedLine:
    """One line of output; ``error`` says why its input could not be read."""

    body: str
    error: str = ""


def screen(
    runner: GateRunner, inspection: Inspection, explain: int = 0
) -> dict[str, Any]:
    """Decision, every gate's verdict and the masked text, as JSON values.

    With ``explain``, also the positions of so many spans that moved each score.
    """
    verdicts: dict[str, Verdict] = {}
    deciding: list[Verdict] = []
    for gate in runner.gates:
        if inspection.stage in gate.stages:
            verdicts[gate.name] = runner.ask(gate, inspection)
            deciding.append(verdicts[gate.name])
        else:
            other = replace(inspection, stage=Stage.OUTPUT)
            asked = runner.ask(gate, other)
            verdicts[gate.name] = replace(asked, decision=Decision.ALLOW)
    result = conclude(inspection, tuple(deciding))
    gates = {name: _as_json(verdict) for name, verdict in verdicts.items()}
    for gate in runner.gates if explain else ():
        gates[gate.name]["moved"] = _moved(runner, gate, inspection, explain)
    return {
        "decision": result.decision.slug,
        "gates": gates,
        "masked_text": result.masked_text,
    }


def _moved(
    runner: GateRunner, gate: Gate, inspection: Inspection, top: int
) -> list[list[float]]:
    """[start, end, by] of the spans that moved a gate's score most."""
    stage = inspection.stage if inspection.stage in gate.stages else Stage.OUTPUT
    thresholds = runner.policy.thresholds(gate.name, stage)
    asked = replace(inspection, stage=stage)
    moved = explain_gate(gate, asked, thresholds, top=top)
    return [[one.start, one.end, one.by] for one in moved]


def _as_json(verdict: Verdict) -> dict[str, Any]:
    return {
        "decision": verdict.decision.slug,
        "score": verdict.score,
        "threshold": verdict.threshold,
        "reasons": list(verdict.reasons),
        "spans": [[span.start, span.end, span.type] for span in verdict.spans],
        "ms": verdict.elapsed_ms,
    }


def read_line(raw: bytes, number: int) -> tuple[Any, Inspection]:
    """The line's id and what to inspect; InvalidInput says what is wrong with it.

    An id may be any JSON scalar and defaults to the line's number, from 1.
    """
    row = _json_object(raw)
    identity = row.get("id", number)
    if identity is not None and not isinstance(identity, str | int | float):
        raise InvalidInput("id must be a string or a number")
    text = row.get("text")
    if not isinstance(text, str):
        raise InvalidInput("text must be there and be a string")
    context = _given(row, "context", [])
    if not isinstance(context, list) or not all(isinstance(c, str) for c in context):
        raise InvalidInput("context must be a list of strings")
    stage, locale = _given(row, "stage", "input"), _given(row, "locale", DEFAULT_LOCALE)
    if not isinstance(stage, str) or stage not in set(Stage):
        raise InvalidInput('stage must be "input" or "output"')
    if not isinstance(locale, str):
        raise InvalidInput("locale must be a string")
    inspection = Inspection(text, Stage(stage), locale, tuple(context), _DEADLINE_MS)
    return identity, inspection


def _given(row: dict[str, Any], key: str, default: object) -> Any:
    """A JSON value (any type, checked by the caller); null counts as left out."""
    value = row.get(key)
    return default if value is None else value


def _json_object(raw: bytes) -> dict[str, Any]:
    try:
        row = json.loads(raw.decode("utf-8"))
    except (UnicodeDecodeError, json.JSONDecodeError, RecursionError) as error:
        raise InvalidInput(
            f"not a line of JSON in UTF-8: {type(error).__name__}"
        ) from (error)
    if not isinstance(row, dict):
        raise InvalidInput("a line must be a JSON object")
    return row


def screen_lines(
    runner: GateRunner, lines: Iterable[bytes], explain: int = 0, *, first: int = 1
) -> Iterator[ScreenedLine]:
    """One line of output for each non-blank line of input, in order.

    ``first`` is the number of the first line in its file.

    A line that cannot be read becomes a ``block`` with an ``error``: nothing is lost
    and nothing passes for lack of reading. JSON is ASCII-escaped, so that unpaired
    surrogates come out as they went in.
    """
    for number, raw in enumerate(lines, start=first):
        if not raw.strip():
            continue
        try:
            identity, inspection = read_line(raw.removeprefix(b"\xef\xbb\xbf"), number)
        except InvalidInput as error:
            yield ScreenedLine(_error_line(number, error.message), error.message)
            continue
        found = screen(runner, inspection, explain)
        yield ScreenedLine(json.dumps({"id": identity, **found}))


def _error_line(number: int, message: str) -> str:
    row = {"id": number, "decision": Decision.BLOCK.slug, "gates": {}}
    return json.dumps({**row, "masked_text": "", "error": message})
