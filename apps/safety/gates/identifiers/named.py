"""Names of people, places and organisations, by cue and by list.

There is no named-entity model here: capital letters, words such as "Dr." or "my name
is", and lists of names decide. It misses unusual names without a cue, and says so in
docs/gates/privacy.md.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from apps.safety.gates.identifiers.found import Identifier
from apps.safety.gates.identifiers.gazetteer import words
from apps.safety.gates.lexicons.identity_en import (
    INTRODUCTIONS,
    ORG_LINKS,
    PERSON_LINKS,
    PLACE_LINKS,
)
from apps.safety.gates.text import fold

_TOKEN = re.compile(r"[^\W\d_]+(?:['\u2019.-][^\W\d_]+)*")
_SENTENCE_END = re.compile(r"(?:^|[.!?:\n\"\u201c\u2022-])\s*$")
_JOINED = re.compile(r"^(?:\s|\.\s|-|\s&\s|, (?=[A-Z]\.))$")
# The group of INTRODUCTIONS that needs no "name": "I'm Ada Moss", but "I'm So Tired".
_BARE = 2
_PARTICLES = frozenset(
    [
        "de",
        "da",
        "del",
        "della",
        "van",
        "von",
        "der",
        "den",
        "di",
        "la",
        "le",
        "al",
        "el",
        "bin",
        "ibn",
        "dos",
    ]
)


class _Word(NamedTuple):
    """One for each word of a text: a tuple is made several times faster."""

    text: str
    plain: str
    start: int
    end: int
    opens_sentence: bool

    @property
    def is_capitalised(self) -> bool:
        return self.text[:1].isupper() and not (
            len(self.text) > 1 and self.text.isupper()
        )


def named(text: str) -> Iterator[Identifier]:
    """Finds by cue and list."""
    tokens = _words(text)
    yield from _introduced(text)
    yield from _runs(text, tokens)


def _words(text: str) -> list[_Word]:
    return [
        _word(text, match.group(), match.start()) for match in _TOKEN.finditer(text)
    ]


def _word(text: str, word: str, start: int) -> _Word:
    plain = word.lower() if word.isascii() else fold(word).text
    opens = False
    if word[0].isupper():
        plain = plain.removesuffix("'s")
        before = text[max(0, start - 3) : start]
        opens = start == 0 or _SENTENCE_END.search(before) is not None
    return _Word(word, plain, start, start + len(word), opens)


def _introduced(text: str) -> Iterator[Identifier]:
    """Names said outright: "my name is ...", in any case of letters."""
    for match in INTRODUCTIONS.finditer(text):
        group = 1 if match.group(1) else _BARE
        name = match.group(group)
        parts = [fold(part).text for part in name.split()]
        first, is_known = parts[0], any(_is_listed(part) for part in parts)
        if group == _BARE and not is_known:
            continue
        if first in words("capitalised_words") or not (name[0].isupper() or is_known):
            continue
        confidence = 0.92 if name[0].isupper() else 0.75
        yield Identifier(*match.span(group), "NAME", confidence)


def _runs(text: str, tokens: Sequence[_Word]) -> Iterator[Identifier]:
    """Runs of capitalised words, each judged by what it holds and what leads to it."""
    position = 0
    while position < len(tokens):
        end = _run_end(text, tokens, position)
        if end > position:
            yield from _judged(text, tokens, position, end)
            position = end
        else:
            found = _lower_case_name(tokens[position])
            if found is not None:
                yield found
            position += 1


def _run_end(text: str, tokens: Sequence[_Word], start: int) -> int:
    if not tokens[start].is_capitalised:
        return start
    end = start + 1
    while end < len(tokens) and end - start < 6:
        gap = text[tokens[end - 1].end : tokens[end].start]
        word = tokens[end]
        follows = word.is_capitalised or (
            word.plain in _PARTICLES
            and end + 1 < len(tokens)
            and tokens[end + 1].is_capitalised
        )
        if not (_JOINED.match(gap) and follows):
            break
        end += 1
    return end


def _judged(
    text: str, tokens: Sequence[_Word], start: int, end: int
) -> Iterator[Identifier]:
    run = list(tokens[start:end])
    titled = run[0].plain.rstrip(".") in words("titles")
    if titled:
        run = run[1:]
    while run and run[0].plain in words("capitalised_words") and len(run) >= 1:
        run = run[1:]
    while run and run[-1].plain in words("capitalised_words") - words(
        "organisation_endings"
    ):
        run = run[:-1]
    if not run:
        return
    led = text[max(0, run[0].start - 40) : run[0].start]
    kind, confidence = _kind_of(run, led, titled=titled)
    if confidence > 0:
        tail = 2 if run[-1].text.endswith(("'s", "\u2019s")) else 0
        yield Identifier(run[0].start, run[-1].end - tail, kind, confidence)


def _kind_of(run: Sequence[_Word], led: str, *, titled: bool) -> tuple[str, float]:
    if titled:
        return "NAME", 0.9
    phrase = " ".join(word.plain for word in run)
    if run[-1].plain.rstrip(".") in words("organisation_endings") and len(run) > 1:
        return "ORGANIZATION", 0.62
    place = _place_score(run, phrase, led)
    person = _person_score(run, led)
    if place >= person and place > 0:
        return "LOCATION", place
    if person > 0:
        return "NAME", person
    if ORG_LINKS.search(led):
        return "ORGANIZATION", 0.5
    return "", 0.0


def _place_score(run: Sequence[_Word], phrase: str, led: str) -> float:
    known = phrase in words("places")
    links = bool(PLACE_LINKS.search(led))
    if phrase in words("countries"):
        return 0.42
    if known and links:
        return 0.72
    if known and not (len(run) == 1 and run[0].opens_sentence):
        return 0.55
    if links and not run[0].opens_sentence:
        return 0.5 if not _is_listed(run[0].plain) else 0.3
    return 0.0


def _is_listed(plain: str) -> bool:
    return plain in words("given_names") or plain in words("surnames")


def _person_score(run: Sequence[_Word], led: str) -> float:
    given = run[0].plain in words("given_names")
    maybe = run[0].plain in words("ambiguous_names")
    last = run[-1].plain
    family = len(run) > 1 and (
        last in words("surnames") or last in words("ambiguous_names")
    )
    linked = bool(PERSON_LINKS.search(led))
    if linked and (given or maybe or not run[0].opens_sentence):
        return 0.88
    if given and len(run) > 1:
        return 0.9 if family else 0.72
    if maybe and family:
        return 0.6
    if given:
        return 0.5 if run[0].opens_sentence else 0.66
    if len(run) > 1 and (family or run[0].plain in words("surnames")):
        return 0.58
    return _unlisted_score(run)


def _unlisted_score(run: Sequence[_Word]) -> float:
    if run[0].plain in words("surnames") and not run[0].opens_sentence:
        return 0.52 if len(run[0].plain) > 3 else 0.4
    if len(run) in {2, 3} and not run[0].opens_sentence:
        return 0.4
    return 0.0


def _lower_case_name(word: _Word) -> Identifier | None:
    # Hardly any word is listed: that is asked first.
    if word.plain not in words("common_given_names"):
        return None
    if len(word.plain) < 5 or not word.text.islower() or not word.plain.isalpha():
        return None
    return Identifier(word.start, word.end, "NAME", 0.4)
