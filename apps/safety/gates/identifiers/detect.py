"""All ways of finding identifiers, joined: shapes, cues, names and Presidio."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING

from apps.safety.gates.identifiers.cued import cued
from apps.safety.gates.identifiers.found import Identifier, settle
from apps.safety.gates.identifiers.named import named
from apps.safety.gates.identifiers.structured import structured

if TYPE_CHECKING:
    from apps.safety.gates.base import IdentifierFinder

_DIGITS = re.compile(r"\d")


@lru_cache(maxsize=4)
def find_identifiers(
    text: str, second: IdentifierFinder | None = None
) -> tuple[Identifier, ...]:
    """Identifiers without overlaps, in order; remembered, since two gates ask."""
    digits = _DIGITS.search(text) is not None
    found = [
        *structured(text, has_digit=digits),
        *cued(text, has_digit=digits),
        *named(text),
    ]
    if second is not None and len(_DIGITS.findall(text)) >= 6:
        found.extend(second.find(text))
    return settle(found)
