"""Sentences with made-up identifiers, and where each identifier stands.

For training a tagger of names and for measuring every detector. The same seed gives
the same sentences. A tenth of the templates is held out (``grammar.is_held_out``), so
that figures speak about frames that nobody trained on.
"""

from __future__ import annotations

import random
import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

from apps.safety.training.generators.grammar import is_held_out
from apps.safety.training.generators.identity_numbers import NUMBERS
from apps.safety.training.generators.identity_words import LINES, WORDS, title

# Start and end in code points, half open, and the type.
Mark = tuple[int, int, str]
Filled = tuple[str, tuple[Mark, ...]]

VALUES = {**NUMBERS, **WORDS}
# The slots that differ in shape only.
TYPES = {
    "FIRST_NAME": "PERSON",
    "LAST_NAME": "PERSON",
    "IMEI": "DEVICE",
    "MAC": "DEVICE",
    "NINO": "NATIONAL_ID",
    "VIN": "VEHICLE",
}
_SLOT = re.compile(r"\{([A-Z_]+)\}")
_YOUNGEST = 90
_LOWERED = frozenset({
    "PERSON", "FIRST_NAME", "LAST_NAME", "LOCATION", "ORGANIZATION", "ADDRESS", "DATE",
    "DOB", "VEHICLE", "LICENSE",
})  # fmt: skip
_SLIP_CHANCE = 0.2


@dataclass(frozen=True)
class Template:
    """A sentence with slots, the set it is from, and whether it is in lower case."""

    line: str
    group: str
    is_lower: bool = False

    @property
    def is_held_out(self) -> bool:
        return is_held_out(self.line)


@cache
def templates() -> tuple[Template, ...]:
    """Every template of ``texts/lines/pii.toml``, in order."""
    content = tomllib.loads((LINES / "pii.toml").read_text(encoding="utf-8"))
    return tuple(
        Template(line, item["name"], item.get("case") == "lower")
        for item in content["set"]
        for line in item["lines"]
    )


def filled(rng: random.Random, *, held_out: bool | None = None) -> Iterator[Filled]:
    """One sentence a template, shuffled; call again with the same rng for others.

    With ``held_out`` only those that are, or are not. Types are the slot names of the
    templates, narrowed by ``TYPES``; ages count as identifiers from 90 years.
    """
    chosen = [t for t in templates() if held_out is None or t.is_held_out is held_out]
    rng.shuffle(chosen)
    for template in chosen:
        yield fill(rng, template)


def fill(rng: random.Random, template: Template) -> Filled:
    """The template's text and its identifiers, in order and without overlaps."""
    pieces: list[str] = []
    marks: list[Mark] = []
    length = position = 0
    for match in _SLOT.finditer(template.line):
        slot = match.group(1)
        between = template.line[position : match.start()]
        lead = title(rng) if slot == "PERSON" and not template.is_lower else ""
        value = VALUES[slot](rng)
        if template.is_lower:
            between = _slipped(rng, between)
            value = value.lower() if slot in _LOWERED else value
        pieces += (between, lead, value)
        start = length + len(between) + len(lead)
        length = start + len(value)
        if slot != "AGE" or int(value) >= _YOUNGEST:
            marks.append((start, length, TYPES.get(slot, slot)))
        position = match.end()
    rest = template.line[position:]
    if _ends_with_stop(pieces, rest):
        rest = rest[1:]
    pieces.append(_slipped(rng, rest) if template.is_lower else rest)
    return "".join(pieces), tuple(marks)


def _ends_with_stop(pieces: list[str], rest: str) -> bool:
    """Whether "St." would be followed by a second full stop."""
    return rest.startswith(".") and bool(pieces) and pieces[-1].endswith(".")


def _slipped(rng: random.Random, text: str) -> str:
    """Now and then a letter too few between the values, as on a phone."""
    letters = [place for place, char in enumerate(text) if char.isalpha()]
    if len(letters) < 6 or rng.random() >= _SLIP_CHANCE:
        return text
    place = rng.choice(letters[1:])
    return text[:place] + text[place + 1 :]
