"""The parts of a text around its digits, where the rules for numbers look.

Most of what people write holds few digits; looking only around them keeps twenty rules
about as cheap as three. A part starts and ends at white space where there is any near.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

# Room for words that belong to a find: "September" before a digit, "extension" after.
LEAD = 56
TAIL = 44
_CLUSTER = re.compile(rf"\d(?:\D{{0,{LEAD + TAIL}}}\d)*")
_SPACE = re.compile(r"\s")
_SNAP = 64


def around_digits(text: str) -> Iterator[tuple[int, int]]:
    """Half-open ranges of code points, in order, that hold every digit with room."""
    last = 0
    for match in _CLUSTER.finditer(text):
        start = max(last, match.start() - LEAD)
        space = text.rfind(" ", max(last, start - _SNAP), start)
        start = space if space >= 0 else start
        stop = match.end() + TAIL
        after = _SPACE.search(text, stop, stop + _SNAP)
        last = after.start() if after else min(len(text), stop + _SNAP)
        yield start, last
