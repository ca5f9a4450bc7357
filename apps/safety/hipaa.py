"""The 18 HIPAA Safe Harbor identifiers: what finds each, with invented examples.

Read from hipaa.toml by the page docs/gates/hipaa.md, by the command that writes it, and
by the test that sends every example through the real gate.
"""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from apps.core.errors import InvalidInput
from apps.safety.gates.privacy import KINDS

_FILE = Path(__file__).resolve().parent / "hipaa.toml"
_VALUE = re.compile(r"\{([^{}]+)\}")
_COUNT = 18

# What finds identifiers, by the module of gates/identifiers, or what it is.
FINDERS = {
    "addresses": "streets, towns and postcodes",
    "cued": "values behind words such as 'MRN'",
    "dates": "written dates",
    "gazetteer": "lists of places and names",
    "handles": "user names and spelled-out addresses",
    "lowercase": "names in small letters by their surroundings",
    "named": "names by title, relation and capitals",
    "second_opinion": "Presidio's patterns",
    "structured": "shapes and check digits",
    "tagger": "the token tagger",
}

_HEAD = """\
# The 18 HIPAA Safe Harbor identifiers

<!-- Written by `manage.py hipaa_identifiers`; a test compares. -->

What finds each identifier of 45 CFR 164.514(b)(2)(i) in text, and what is known to be
missed. `tests/safety/test_hipaa.py` sends the examples of `apps/safety/hipaa.toml`, all
invented, through the privacy gate as it is served, and wants every one of them masked.
Examples show that a kind is covered, not how much of it: recall by kind on held-out
sentences is in [privacy](privacy.md). This is not de-identification under HIPAA by
itself: Safe Harbor also asks that nobody knows how to identify people from the rest.
"""


@dataclass(frozen=True, slots=True)
class Example:
    """A sentence, and the value in it that must not be left."""

    text: str
    value: str


@dataclass(frozen=True, slots=True)
class SafeHarborKind:
    """One identifier; ``letter`` is its place in the rule, A to R."""

    letter: str
    name: str
    finders: tuple[str, ...]
    kinds: tuple[str, ...]
    limits: str
    examples: tuple[Example, ...]


@cache
def safe_harbor() -> tuple[SafeHarborKind, ...]:
    """The 18, in order; InvalidInput for a file that is not that."""
    rows = tomllib.loads(_FILE.read_text("utf-8"))["kind"]
    found = tuple(
        SafeHarborKind(
            row["letter"],
            row["name"],
            tuple(row["finders"]),
            tuple(row["kinds"]),
            row["limits"],
            tuple(map(_example, row["examples"])),
        )
        for row in rows
    )
    letters = [kind.letter for kind in found]
    if letters != [chr(ord("A") + place) for place in range(_COUNT)]:
        raise InvalidInput("hipaa.toml must name the kinds A to R in order.")
    for kind in found:
        unknown = {*kind.finders} - {*FINDERS} | {*kind.kinds} - {*KINDS}
        if unknown:
            raise InvalidInput(f"hipaa.toml {kind.letter}: unknown {sorted(unknown)}.")
    return found


def _example(written: str) -> Example:
    values = _VALUE.findall(written)
    if len(values) != 1:
        raise InvalidInput("An example of hipaa.toml holds one value in braces.")
    return Example(_VALUE.sub(r"\1", written), values[0])


def as_markdown() -> str:
    """The page docs/gates/hipaa.md."""
    lines = [
        _HEAD,
        "| | identifier | found by | masked as | missed | examples |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    for kind in safe_harbor():
        finders = ", ".join(FINDERS[name] for name in kind.finders)
        masks = ", ".join(f"`[{name}]`" for name in kind.kinds)
        lines.append(
            f"| {kind.letter} | {kind.name} | {finders} | {masks} | {kind.limits} | "
            f"{len(kind.examples)} |"
        )
    lines += ["", "The finders are in `apps/safety/gates/identifiers/`.", ""]
    return "\n".join(lines)
