"""A text's words with where they stand, their pieces and their shapes, for the tagger.

Unlike the text encoder this reads the original spelling: capitals say much about names.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from tokenizers import Tokenizer

LONGEST, OVERLAP = 128, 24
PIECES_A_WORD = 4
SHAPES = 6
_WORD = re.compile(r"[^\W\d_]+|\d{1,12}|[^\w\s]|_")
_SPOKEN = re.compile(r"[^\W\d_]+(?:['\u2019][^\W\d_]+)?")
LOWER_ONLY = "*"
_LOOK_BACK = 8
_OPENS_SENTENCE = re.compile(r"(?:^|[.!?\n])[\s\"'(\u201c\u2018]*$")
_LOWER, _CAPITAL, _UPPER, _MIXED, _DIGITS, _MARK = range(SHAPES)


@dataclass(frozen=True, slots=True)
class Word:
    """Half-open range in code points, piece numbers, shape."""

    start: int
    end: int
    pieces: tuple[int, ...]
    shape: int


@dataclass(frozen=True, slots=True)
class Window:
    """Pieces and shapes of some words, and which piece opens which word."""

    ids: list[int]
    shapes: list[int]
    openers: list[int]
    words: list[Word]


def shape_of(word: str) -> int:
    """Letter case of a word, or that it is digits or a mark."""
    if word[0].isdigit():
        return _DIGITS
    if not word[0].isalpha():
        return _MARK
    if word.islower():
        return _LOWER
    if len(word) > 1 and word.isupper():
        return _UPPER
    return _CAPITAL if word[1:].islower() or len(word) == 1 else _MIXED


def spoken(
    text: str, start: int = 0, end: int | None = None
) -> Iterator[tuple[int, int, str]]:
    """(start, end, lower-case word) of each word of the range, "don't" as one."""
    for match in _SPOKEN.finditer(text, start, len(text) if end is None else end):
        yield (*match.span(), match.group().lower().replace("\u2019", "'"))


def is_plain(
    text: str, plain: frozenset[str], start: int = 0, end: int | None = None
) -> bool:
    """Whether no word of the range can be part of a name.

    ``plain`` holds such words; one with ``LOWER_ONLY`` behind it must be in lower case.
    Capitals are taken for plain only where a sentence opens.
    """
    for first, last, word in spoken(text, start, end):
        written = text[first:last]
        if word in plain:
            if written.islower() or word == "i" or word.startswith("i'"):
                continue
            opens = _OPENS_SENTENCE.search(text, max(0, first - _LOOK_BACK), first)
            if opens and (len(written) == 1 or written[1:].islower()):
                continue
        elif written.islower() and word + LOWER_ONLY in plain:
            continue
        return False
    return True


class Words:
    """Splits text for the tagger with the vocabulary the encoder uses."""

    def __init__(self, tokenizer: Tokenizer) -> None:
        self._tokenizer = tokenizer
        vocabulary = tokenizer.get_vocab(with_added_tokens=True)
        self._first, self._end = vocabulary["[CLS]"], vocabulary["[SEP]"]
        self._unknown = vocabulary["[UNK]"]

    def split(self, text: str) -> list[Word]:
        """Every word, number and mark of the text."""
        matches = list(_WORD.finditer(text))
        spelled = [m.group()[:40] for m in matches]
        encoded = self._tokenizer.encode(
            spelled, is_pretokenized=True, add_special_tokens=False
        )
        pieces: list[list[int]] = [[] for _ in matches]
        for piece, number in zip(encoded.ids, encoded.word_ids, strict=True):
            if number is not None and len(pieces[number]) < PIECES_A_WORD:
                pieces[number].append(piece)
        return [
            Word(*match.span(), tuple(own) or (self._unknown,), shape_of(match.group()))
            for match, own in zip(matches, pieces, strict=True)
        ]

    def windows(self, words: list[Word]) -> Iterator[Window]:
        """Overlapping windows of at most ``LONGEST`` pieces."""
        start = 0
        while start < len(words):
            window = Window([self._first], [_MARK], [], [])
            stop = start
            while stop < len(words):
                word = words[stop]
                if len(window.ids) + len(word.pieces) >= LONGEST:
                    break
                window.openers.append(len(window.ids))
                window.words.append(word)
                window.ids.extend(word.pieces)
                window.shapes.extend([word.shape] * len(word.pieces))
                stop += 1
            window.ids.append(self._end)
            window.shapes.append(_MARK)
            yield window
            if stop >= len(words):
                return
            start = max(start + 1, stop - OVERLAP)
