"""All ways of finding identifiers, joined: shapes, cues, names and Presidio."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import TYPE_CHECKING

from apps.safety.gates.identifiers.cued import cued
from apps.safety.gates.identifiers.found import Identifier, settle
from apps.safety.gates.identifiers.handles import handles
from apps.safety.gates.identifiers.lowercase import lower_case
from apps.safety.gates.identifiers.named import named
from apps.safety.gates.identifiers.structured import structured

if TYPE_CHECKING:
    from apps.safety.gates.base import IdentifierFinder

_DIGITS = re.compile(r"\d")
_NUMBER = re.compile(r"(?<!\w)[A-Za-z]{0,6}\d(?:[ .-]?[A-Za-z0-9]){4,40}(?!\w)")
_MIN_DIGITS = 6
_LEAD = 60
_SURE = 0.75


@lru_cache(maxsize=4)
def find_identifiers(
    text: str, second: IdentifierFinder | None = None
) -> tuple[Identifier, ...]:
    """Identifiers without overlaps, in order; remembered, since two gates ask."""
    digits = _DIGITS.search(text) is not None
    found = [
        *structured(text, has_digit=digits),
        *(cued(text) if digits else ()),
        *handles(text),
        *named(text),
        *lower_case(text),
    ]
    settled = settle(found)
    if second is not None:
        doubtful = list(_asked(text, settled, second))
        return settle((*settled, *doubtful)) if doubtful else settled
    return settled


def _asked(
    text: str, settled: tuple[Identifier, ...], second: IdentifierFinder
) -> Iterator[Identifier]:
    """What the second opinion finds around numbers that are not yet explained."""
    sure = [item for item in settled if item.confidence >= _SURE]
    for match in _NUMBER.finditer(text):
        if sum(char.isdigit() for char in match.group()) < _MIN_DIGITS:
            continue
        if any(i.start < match.end() and match.start() < i.end for i in sure):
            continue
        start = max(0, match.start() - _LEAD)
        for item in second.find(text[start : match.end()]):
            yield Identifier(
                item.start + start, item.end + start, item.kind, item.confidence
            )
