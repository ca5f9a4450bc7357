"""Phrase patterns: a small notation, and an index that makes many of them cheap.

A pattern such as ``<want> to *die`` means the words in order: a blank is any short run
of non-words inside one sentence, ``..`` is up to three words, ``<name>`` is a macro,
an apostrophe is optional, and a star marks the anchor words of which at least one must
stand in the text for the pattern to be tried at all. Only patterns whose anchors are
present run, so a text without any costs one pass over its words.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

WORD = re.compile(r"[a-z0-9']+")
# A star before a word is an anchor; after a bracket it stays a quantifier.
_STAR = r"(?<![)\]\w])\*"
_ANCHOR = re.compile(_STAR + r"([a-z0-9]+)([?]|\\|\((?=\?:[a-z]))?")
_GAP = r"[^\w.!?;\n]{1,4}"
_MAYBE_GAP = r"[^\w.!?;\n]{0,4}"
_FILLER = rf"(?:{_GAP}[\w']{{1,20}}){{0,3}}?"


@dataclass(frozen=True, slots=True)
class Phrase:
    """One pattern, what it is a sign of, and how strong a sign it is alone."""

    sign: str
    weight: float
    regex: re.Pattern[str]
    anchors: frozenset[str]


@dataclass(frozen=True, slots=True)
class Hit:
    """Where a phrase stands in the folded text."""

    sign: str
    weight: float
    start: int
    end: int


def compile_phrase(
    sign: str, weight: float, source: str, macros: Mapping[str, str]
) -> Phrase:
    """A phrase from its notation; ValueError if it has no anchor."""
    expanded = _expand(source, macros)
    anchors = frozenset(_anchors(expanded, source))
    body = re.sub(_STAR + "(?=[a-z0-9])", "", expanded).replace("'", "'?")
    body = body.replace(" .. ?", _FILLER + _MAYBE_GAP).replace(" .. ", _FILLER + _GAP)
    body = body.replace(" ?", _MAYBE_GAP).replace(" ", _GAP)
    return Phrase(sign, weight, re.compile(rf"(?<![\w'])(?:{body})(?!\w)"), anchors)


def _anchors(expanded: str, source: str) -> Iterator[str]:
    found = _ANCHOR.findall(expanded)
    if not found:
        raise ValueError(f"Pattern has no anchor word: {source}")
    for word, follower in found:
        if follower in {"\\", "("}:
            raise ValueError(f"Anchor {word} must be a whole word: {source}")
        yield word
        if follower == "?":
            yield word[:-1]


def _expand(source: str, macros: Mapping[str, str]) -> str:
    previous = ""
    while previous != source:
        previous = source
        for name, body in macros.items():
            source = source.replace(f"<{name}>", f"(?:{body})")
    return source


class PhraseBook:
    """Phrases by anchor word."""

    def __init__(self, phrases: Sequence[Phrase]) -> None:
        self.phrases = tuple(phrases)
        self._by_anchor: dict[str, list[int]] = {}
        for position, phrase in enumerate(self.phrases):
            for anchor in phrase.anchors:
                self._by_anchor.setdefault(anchor, []).append(position)

    def find(self, folded: str) -> Iterator[Hit]:
        """Every match of every phrase whose anchor is present, in phrase order."""
        for position in sorted(self._candidates(folded)):
            phrase = self.phrases[position]
            for match in phrase.regex.finditer(folded):
                yield Hit(phrase.sign, phrase.weight, match.start(), match.end())

    def _candidates(self, folded: str) -> set[int]:
        found: set[int] = set()
        for word in set(WORD.findall(folded)):
            found.update(self._by_anchor.get(word.replace("'", ""), ()))
        return found


def book(
    entries: Iterable[tuple[str, float, Sequence[str]]], macros: Mapping[str, str]
) -> PhraseBook:
    """A book from (sign, weight, patterns) rows."""
    return PhraseBook(
        [
            compile_phrase(sign, weight, source, macros)
            for sign, weight, sources in entries
            for source in sources
        ]
    )
