"""Tells a text in another language from English by common words and letters.

Made for short chat: a text is only called foreign when several of its words say so and
fewer are English, so slang, names, typos and mixed speech stay what the locale says.
Too short or too mixed to tell is None, and the caller's locale holds. It must never be
the reason why a sign of risk goes unread: gates read every text all the same.
"""

from __future__ import annotations

import re
import tomllib
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path

from apps.safety.gates.text import fold, is_mostly_foreign_script
from apps.safety.windows import windows

ENGLISH = "en"
# A language that is not English and that no list knows (ISO 639-2: undetermined).
UNKNOWN = "und"
_FOLDER = Path(__file__).resolve().parent
_WORD = re.compile(r"[^\W\d_]+(?:['\u2019][^\W\d_]+)*+")
_LEAST_FOREIGN = 2
_LEAST_ENGLISH = 3
_LEAST_SHARE = 0.3
# So many different words of which hardly one is English are some other language.
_LEAST_UNKNOWN = 7
_UNKNOWN_ENGLISH_SHARE = 0.1
_LETTERS_IN_WORDS = 3
# Where fewer than one word in four has a capital, capitals mark names.
_FEW_CAPITALS = 4
_LOANS = frozenset(
    (
        "cafe", "cafes", "naive", "fiance", "fiancee", "cliche", "resume", "pokemon",
        "pinata", "jalapeno", "facade", "senor", "senora", "uber", "deja", "vu",
        "creme", "brulee", "touche", "entree", "beyonce", "puree", "saute",
        "soiree", "vie",
    )
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Lists:
    """English words, words of no telling, languages of foreign words and letters."""

    english: frozenset[str]
    shared: frozenset[str]
    foreign: Mapping[str, tuple[str, ...]]
    order: Mapping[str, int]
    letters: Mapping[str, tuple[str, ...]]


@cache
def _lists() -> _Lists:
    content = tomllib.loads((_FOLDER / "words.toml").read_text("utf-8"))
    english = frozenset(content.pop(ENGLISH).split())
    shared = frozenset(content.pop("shared").split())
    words: dict[str, list[str]] = {}
    letters: Counter[tuple[str, str]] = Counter()
    for language, listed in content.items():
        own = listed.split()
        letters.update({(char, language): 0 for char in "".join(own) if char > "\x7f"})
        for word in own:
            letters.update((char, language) for char in set(word) if char > "\x7f")
        for plain in {fold(word).text for word in own} - english - shared - _LOANS:
            words.setdefault(plain, []).append(language)
    kept: dict[str, list[str]] = {"\u00bf": ["es"], "\u00a1": ["es"]}
    for (char, language), count in letters.items():
        if count >= _LETTERS_IN_WORDS:
            kept.setdefault(char, []).append(language)
    return _Lists(
        english,
        shared,
        {word: tuple(known) for word, known in words.items()},
        {code: number for number, code in enumerate(content)},
        {char: tuple(known) for char, known in kept.items()},
    )


@lru_cache(maxsize=8)
def languages_of(text: str) -> frozenset[str]:
    """ISO 639 codes of the text's windows, where they can be told; may be empty.

    The last few answers are kept, since every gate of a stage asks about one text.
    """
    found = (identify(piece) for _, piece in windows(text))
    return frozenset(code for code in found if code)


def identify(text: str) -> str | None:
    """ISO 639 code of one window, ``und`` for a language of no list; None if unsure."""
    if is_mostly_foreign_script(text):
        return UNKNOWN
    lists = _lists()
    words = _telling_words(text, lists.shared)
    if len(words) < _LEAST_FOREIGN:
        return None
    english = sum(plain in lists.english for _, plain in words)
    evidence = _evidence(text, words)
    # Of equals the one that the list names first: it is spoken by more people.
    order = lists.order
    best = max(evidence, key=lambda code: (evidence[code], -order[code]), default="")
    count = evidence[best] if best else 0
    is_foreign = count >= _LEAST_FOREIGN and count > english
    if is_foreign and (not english or count >= _LEAST_SHARE * len(words)):
        return best
    if _is_unknown(words, english):
        return UNKNOWN
    return ENGLISH if english >= _LEAST_ENGLISH and english > count else None


def _evidence(text: str, words: list[tuple[str, str]]) -> Counter[str]:
    """How many words speak for each language but English; names do not."""
    lists = _lists()
    evidence: Counter[str] = Counter()
    for raw, plain in words:
        known = lists.foreign.get(plain)
        if known is not None:
            evidence.update(known)
        elif not raw.isascii() and raw.islower() and plain not in _LOANS:
            evidence.update(_by_letters(raw))
    if evidence and ("\u00bf" in text or "\u00a1" in text):
        evidence["es"] += 1
    return evidence


def _by_letters(word: str) -> set[str]:
    """Languages that have every foreign letter of a word."""
    sets = [set(_lists().letters.get(char, ())) for char in word if char > "\x7f"]
    return set.intersection(*sets) if sets else set()


def _is_unknown(words: list[tuple[str, str]], english: int) -> bool:
    """Whether the text holds many different plain words and next to no English."""
    plain = {word for raw, word in words if raw.islower() and len(word) > 1}
    return (
        len(plain) >= _LEAST_UNKNOWN
        and 2 * len(plain) >= len(words)
        and english <= _UNKNOWN_ENGLISH_SHARE * len(words)
    )


def _telling_words(text: str, shared: frozenset[str]) -> list[tuple[str, str]]:
    """Different words as written and folded, but for letters and what languages share.

    A capital letter inside a text in small letters is a name's, as a rule, and says
    nothing either.
    """
    raws = [raw for raw in _WORD.findall(text) if len(raw) > 1]
    # A first letter is a sentence's as often as a name's: it is let pass.
    capitals = sum(raw[0].isupper() for raw in raws[1:])
    if _FEW_CAPITALS * capitals < len(raws):
        raws = [*raws[:1], *(r for r in raws[1:] if not r[0].isupper())]
    found = [(raw, _plain(raw)) for raw in dict.fromkeys(raws)]
    return [(raw, plain) for raw, plain in found if plain not in shared]


def _plain(raw: str) -> str:
    plain = raw.lower() if raw.isascii() else fold(raw).text
    return plain.replace("\u2019", "").replace("'", "")
