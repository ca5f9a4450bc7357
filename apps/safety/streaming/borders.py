"""Where a growing text may be cut: borders that no identifier can cross.

A *settled* border lies behind the blank after a sentence or line. Whether a border is
settled is read off the text before it and the first word after it, so it does not
depend on how the text arrives or goes on. The patterns of apps.safety.gates.identifiers
cannot match across a settled border; ADR 0012 goes through them. A pattern that can
must be met with a rule here, and the property test in tests/safety/test_streaming.py
must be taught its shape.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator

from apps.safety.gates.text import fold

_GAP = re.compile(r"(?<!\s)\s++(?=\S)")
_NEXT_WORD = re.compile(r"\S++(?=\s)")
_ENDS = ".!?\u2026"
_CLOSERS = "\"'\u201d\u2019)]*_"
# No pattern reads over these and a blank behind them.
_FINAL = frozenset('!?"\u201d')
_APOSTROPHES = str.maketrans("", "", "'\u2019-")
_REACH_WORDS = 8
_REACH_CHARS = 240
_TOKEN = re.compile(r"[^\W\d_]+(?:['\u2019.-][^\W\d_]+)*")
_SPELT_AT = re.compile(r"(?:\(at\)|\[at\]|at\b)", re.I)
_STREETS_ABROAD = frozenset(
    ("rua", "calle", "avenida", "via", "rue", "carrer", "plaza", "strada", "ulica",
     "viale", "piazza", "boulevard", "avenue")
)  # fmt: skip
# Months stand before a day, particles inside a name, the others before a number.
_MONTHS = (
    "jan", "january", "feb", "february", "mar", "march", "apr", "april", "may", "jun",
    "june", "jul", "july", "aug", "august", "sep", "sept", "september", "oct",
    "october", "nov", "november", "dec", "december",
)  # fmt: skip
_PARTICLES = (
    "de", "da", "del", "della", "van", "von", "der", "den", "di", "la", "le", "al",
    "el", "bin", "ibn", "dos",
)  # fmt: skip
_ABBREVIATIONS = (
    "dr", "mr", "mrs", "ms", "prof", "st", "mt", "ft", "jr", "sr", "no", "nr", "num",
    "apt", "apartment", "suite", "ste", "unit", "flat", "floor", "ave", "rd", "blvd",
    "ln", "ct", "pl", "sq", "ter", "pkwy", "hwy", "cir", "trl", "po", "box", "ext",
    "extension", "vs", "etc", "eg", "ie", "inc", "co", "ltd", "dept",
)  # fmt: skip
_NOT_LAST = frozenset((*_MONTHS, *_PARTICLES, *_ABBREVIATIONS))
_NOT_LAST_ON_LINE = frozenset(
    ("age", "aged", "turn", "turned", "turning", "is", "am", "im", "i'm", "was", "at",
     "dot", "of", "key", "token", "secret", "bearer", "name", "called", "named", "zero",
     "oh", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine",
     "double", "triple")
)  # fmt: skip


def gaps(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    """(from, to) of each run of blanks with text behind it, in order."""
    for match in _GAP.finditer(text, start, end):
        yield match.span()


def known_from(text: str, border: int) -> int | None:
    """Where the first word behind a border is complete; None if it is not yet."""
    match = _NEXT_WORD.match(text, border)
    return None if match is None else match.end() + 1


def is_settled(text: str, gap: tuple[int, int]) -> bool:
    """Whether no identifier can reach over this gap; its next word must be known."""
    start, end = gap
    before = text[max(0, start - _REACH_CHARS) : start]
    is_line = "\n" in text[start:end]
    bare = before.rstrip(_ENDS + _CLOSERS)
    marks = before[len(bare) :]
    is_sentence = any(mark in _ENDS for mark in marks)
    if not (is_sentence or is_line) or _joins_back(text[end]):
        return False
    if _may_end_in_particle(before):
        return False
    if is_sentence and any(mark in _FINAL for mark in marks):
        return True
    goes_on = not is_sentence and _may_go_on(text, gap)
    if goes_on or _SPELT_AT.match(text, end):
        return False
    return _is_quiet(bare, is_line=is_line)


def _may_go_on(text: str, gap: tuple[int, int]) -> bool:
    """Whether what stands behind a mere line break may belong to what stands before."""
    blanks = gap[1] - gap[0]
    after = text[gap[1]]
    return (blanks <= 2 and after.isdecimal()) or (blanks == 1 and after.isupper())


def _joins_back(char: str) -> bool:
    """A mark or joiner that belongs to the character before it."""
    return unicodedata.category(char) in {"Mn", "Mc", "Me", "Cf"}


def _may_end_in_particle(before: str) -> bool:
    """Whether a capital letter, however far on, would make the last word a name's."""
    tokens = _TOKEN.findall(before)
    return not tokens or fold(tokens[-1]).text in _PARTICLES


def _is_quiet(before: str, *, is_line: bool) -> bool:
    """Whether the last words can neither hold nor lead an identifier."""
    words = before.split()[-_REACH_WORDS:]
    if not words or any(char.isdecimal() for word in words for char in word):
        return False
    lowered = [word.strip(_CLOSERS + ",;:([\u201c").lower() for word in words]
    last = words[-1].lstrip("\"'([\u201c*_")
    if not last.islower() or not last.translate(_APOSTROPHES).isalpha():
        return False
    if len(lowered[-1]) < 2 or lowered[-1] in _NOT_LAST:
        return False
    if is_line and not _NOT_LAST_ON_LINE.isdisjoint(lowered[-2:]):
        return False
    return _STREETS_ABROAD.isdisjoint(lowered)
