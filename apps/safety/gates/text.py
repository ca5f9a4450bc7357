"""Text as patterns see it: folded to plain lower case without losing positions.

People write with curly quotes, full-width letters, accents and invisible characters,
on purpose or not. ``fold`` undoes that for matching and keeps the way back to the code
points of the original, since evidence spans are always given in those. Total over any
``str``, lone surrogates and NUL included.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from functools import lru_cache

# Scripts are told apart by code point: everything up to here is Latin or a symbol.
_LAST_LATIN = 0x024F
_LATIN_ADDITIONAL = range(0x1E00, 0x1F00)
_CLAUSE_ENDS = ".!?;\n"
_PLAIN = {
    "\u2018": "'", "\u2019": "'", "\u201b": "'", "\u02bc": "'", "\u00b4": "'",
    "\u0060": "'", "\u201c": '"', "\u201d": '"', "\u2013": "-", "\u2014": "-",
    "\u2010": "-", "\u2011": "-", "\u2212": "-", "\u2026": ".", "\u00a0": " ",
    "\u0131": "i", "\u0142": "l", "\u00f8": "o", "\u2028": "\n", "\u2029": "\n",
    # Cyrillic and Greek letters that pass for Latin ones inside a Latin word.
    "\u0430": "a", "\u0435": "e", "\u043e": "o", "\u0440": "p", "\u0441": "c",
    "\u0443": "y", "\u0445": "x", "\u0456": "i", "\u0455": "s", "\u03bf": "o",
    "\u03b1": "a", "\u03b9": "i", "\u0501": "d",
}  # fmt: skip


@lru_cache(maxsize=4096)
def _fold_char(char: str) -> str:
    """One plain lower-case character, or nothing for marks and invisible ones."""
    plain = _PLAIN.get(char)
    if plain is not None:
        return plain
    if unicodedata.category(char) in {"Mn", "Cf", "Me"}:
        return ""
    lowered = unicodedata.normalize("NFKD", char).lower()
    return _PLAIN.get(lowered[:1], lowered[:1])


@dataclass(frozen=True, slots=True)
class Folded:
    """Folded text; ``offsets[i]`` is where its i-th character stood (None: same)."""

    text: str
    offsets: tuple[int, ...] | None = None

    def origin(self, start: int, end: int) -> tuple[int, int]:
        """The range of the original text for a non-empty range of the folded text."""
        if self.offsets is None:
            return start, end
        return self.offsets[start], self.offsets[end - 1] + 1


def fold(text: str) -> Folded:
    """Lower-case, unaccented text for matching, with the way back to positions."""
    if text.isascii():
        return Folded(text.lower().replace("`", "'"))
    characters: list[str] = []
    offsets: list[int] = []
    for position, char in enumerate(text):
        plain = char.lower() if char.isascii() else _fold_char(char)
        if plain:
            characters.append(plain)
            offsets.append(position)
    if len(offsets) == len(text):
        return Folded("".join(characters))
    return Folded("".join(characters), tuple(offsets))


def clause_before(text: str, position: int, reach: int = 120) -> str:
    """What stands before a position, back to the end of the previous sentence."""
    piece = text[max(0, position - reach) : position]
    return piece[max(piece.rfind(end) for end in _CLAUSE_ENDS) + 1 :]


def clause_after(text: str, position: int, reach: int = 120) -> str:
    """What stands after a position, up to and with the end of its sentence."""
    piece = text[position : position + reach]
    ends = [found for end in _CLAUSE_ENDS if (found := piece.find(end)) >= 0]
    return piece[: min(ends) + 1] if ends else piece


def is_mostly_foreign_script(text: str, sample: int = 2000) -> bool:
    """Whether most letters are of a script that no English model has been shown."""
    if text.isascii() or ord(max(text)) <= _LAST_LATIN:
        return False
    letters = [char for char in text[:sample] if char.isalpha()]
    foreign = sum(1 for char in letters if _is_foreign(ord(char)))
    return foreign >= 4 and foreign * 2 > len(letters)


def _is_foreign(code: int) -> bool:
    return code > _LAST_LATIN and code not in _LATIN_ADDITIONAL and code < 0xFB00
