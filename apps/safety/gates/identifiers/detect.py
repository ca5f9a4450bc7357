"""All ways of finding identifiers, joined: shapes, cues, names and Presidio."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import TYPE_CHECKING

from apps.safety.gates.identifiers.cued import cued
from apps.safety.gates.identifiers.found import Identifier, settle
from apps.safety.gates.identifiers.handles import handles
from apps.safety.gates.identifiers.lowercase import lower_case
from apps.safety.gates.identifiers.named import named
from apps.safety.gates.identifiers.structured import structured

if TYPE_CHECKING:
    from apps.safety.gates.base import IdentifierFinder, NameTagger

# Half a surrogate pair is no text to a tokenizer; a mark in its place keeps positions.
_HALVES = re.compile("[\ud800-\udfff]")
_DIGITS = re.compile(r"\d")
_NUMBER = re.compile(r"(?<!\w)[A-Za-z]{0,6}\d(?:[ .-]?[A-Za-z0-9]){4,40}(?!\w)")
_MIN_DIGITS = 6
_LEAD = 60
_SURE = 0.75
_NAMED = frozenset({"NAME", "LOCATION", "ORGANIZATION"})
# What a tag of probability 1 counts for; numbers with check digits stay surer.
_TAGGER_TRUST, _MOST_SURE = 0.88, 0.94


@lru_cache(maxsize=4)
def find_identifiers(
    text: str,
    second: IdentifierFinder | None = None,
    names: NameTagger | None = None,
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
    if names is not None:
        found = _with_names(found, names.tag(_HALVES.sub("\ufffd", text)))
    settled = settle(found)
    if second is not None:
        doubtful = list(_asked(text, settled, second))
        return settle((*settled, *doubtful)) if doubtful else settled
    return settled


def _with_names(
    found: Iterable[Identifier], tagged: Iterable[tuple[int, int, str, float]]
) -> list[Identifier]:
    """The tagger's finds joined in: two weak signs of a name make one strong one."""
    joined = list(found)
    names = [item for item in joined if item.kind in _NAMED]
    for start, end, kind, chance in tagged:
        sure = _TAGGER_TRUST * chance
        for item in names:
            if item.start < end and start < item.end:
                sure = max(sure, 1.0 - (1.0 - sure) * (1.0 - item.confidence))
        joined.append(Identifier(start, end, kind, min(sure, _MOST_SURE)))
    return joined


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
