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
