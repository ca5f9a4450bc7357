"""Which characters stand for which: look-alikes, emoji in words, starred-out words.

Tables for ``normalise`` only. Colours are left out of emoji names ("white heavy check
mark"), so that no emoji is mistaken for a word about people.
"""

# Look-alike characters are the subject here, not a slip.
# ruff: noqa: RUF001

from __future__ import annotations

import re
import unicodedata

_LOOKALIKE_PAIRS = (
    "аa вb еe ёe зe иu іi кk мm нh оo рp сc тt уy хx һh јj ѕs ԁd ԛq ԝw "
    "αa βb εe ηn ιi κk νv οo ρp τt υu χx ωw γy ıi łl øo đd"
)
_LOOKALIKES = {pair[0]: pair[1] for pair in _LOOKALIKE_PAIRS.split()}
_DROPPED = (
    *range(0x200B, 0x2010),
    *range(0x202A, 0x202F),
    *range(0x2060, 0x2065),
    *range(0x1F3FB, 0x1F400),
    *range(0xFE00, 0xFE10),
    *(0xAD, 0x20E3, 0xFEFF, 0x180E),
)
_EMOJI_STOP_WORDS = (
    "face with of sign symbol black white heavy medium light dark and in on for the "
    "button squared negative latin capital small letter regional indicator"
)
_EMOJI_STOP = frozenset(_EMOJI_STOP_WORDS.split())
_LETTER_SYMBOL = re.compile(
    r"(?:LATIN|INDICATOR).*LETTER ([A-Z])$|SYMBOL LETTER ([A-Z])$"
)
_STARRED = (
    "fuck fucking fucked fucker fuckers shit shitty bitch bitches bitching cunt cunts "
    "nigger niggers nigga niggas fag fags faggot faggots dick dicks cock pussy slut "
    "sluts whore whores kill killing suicide suicidal rape raped rapist die dyke kike "
    "kikes tranny trannies spic spics chink chinks retard retards paki pakis ass asses "
    "damn sex porn tits bastard cum hate twat wank"
)
STARRED_WORDS = tuple(_STARRED.split())
_REMEMBERED = 20_000


def _spacing() -> dict[int, str | None]:
    table: dict[int, str | None] = dict.fromkeys(range(128), " ")
    for char in "abcdefghijklmnopqrstuvwxyz0123456789":
        table[ord(char)] = char
    for char in '?!"':
        table[ord(char)] = f" {char} "
    for char in "'`":
        table[ord(char)] = None
    return table


def _emoji_words(char: str) -> str:
    name = unicodedata.name(char, "")
    letter = _LETTER_SYMBOL.search(name)
    if letter:
        return (letter.group(1) or letter.group(2)).lower()
    words = [w for w in re.findall(r"[a-z]+", name.lower()) if w not in _EMOJI_STOP]
    return f" {' '.join(words)} " if words else " "


def _fold_character(char: str) -> str | None:
    if char in _LOOKALIKES:
        return _LOOKALIKES[char]
    category = unicodedata.category(char)
    if category in ("Mn", "Me", "Cf"):
        return None
    if category[0] in "LN":
        return char
    if category in ("So", "Sk"):
        return _emoji_words(char)
    return "'" if char in "‘’‛ʼ" else '"' if char in "“”„«»" else " "


class _Folding(dict[int, "str | None"]):
    """Code point to plain replacement, worked out once for each character met."""

    def __missing__(self, code: int) -> str | None:
        folded = _fold_character(chr(code))
        if len(self) < _REMEMBERED:
            self[code] = folded
        return folded


SPACING = _spacing()
FOLDING = _Folding({code: chr(code) for code in range(128)} | dict.fromkeys(_DROPPED))
