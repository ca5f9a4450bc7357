"""Text to hashed feature numbers, the same way in training and in serving.

Features of one word position are its n-grams, a gapped pair, and the word under the
last pronoun, under a negation, under a report, near a named group; of one character
position, n-grams that stay in a word and not in a group's name. Everything is
arithmetic on one array of code points, so cost is linear and no dictionary has to be
shipped. Changing a constant here invalidates every trained weight: raise ``SCHEME``.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from apps.safety.runtime.classes import (
    BASE,
    FIRST_GROUP,
    FIRST_PRONOUN,
    NEGATION,
    REPORT,
    classes_of,
    word_hash,
)
from apps.safety.runtime.normalise import normalise

SCHEME = "words-chars-2"
SHARED_BITS = 18
SINGLE_BITS = 17
CROSS_BITS = 16
SHARED_BUCKETS = 1 << SHARED_BITS
BUCKETS = SHARED_BUCKETS + (1 << SINGLE_BITS)
CROSS_BUCKETS = 1 << CROSS_BITS
PASSAGE_CHARS = 4096
WORD_KINDS = 11
CHAR_KINDS = 3

Codes = NDArray[np.uint32]
Buckets = NDArray[np.int64]

_SPACE = np.uint32(32)
_ANYONE = np.uint32(0x9D2C5681)
_NEGATION_SCOPE, _REPORT_SCOPE, _GROUP_SCOPE, _AHEAD_SCOPE = 4, 8, 10, 5


def _powers(base: int, count: int) -> Codes:
    values = np.empty(count, np.uint32)
    power = 1
    for index in range(count):
        values[index] = power
        power = power * base & 0xFFFFFFFF
    return values


_CAPACITY = PASSAGE_CHARS + 64
_POWERS = _powers(BASE, _CAPACITY)
_INVERSES = _powers(pow(BASE, -1, 1 << 32), _CAPACITY)
_ORDER = np.arange(_CAPACITY)


@dataclass(frozen=True, slots=True)
class Passage:
    """Hashed features of up to 4096 characters.

    ``words`` is (positions, WORD_KINDS) and ``chars`` (positions, CHAR_KINDS), bucket
    numbers; bucket 0 stands for "no feature here". ``starts`` holds the character
    position at which each word begins, ``hashes`` the words' 32-bit hashes.
    """

    words: Buckets
    chars: Buckets
    starts: NDArray[np.intp]
    hashes: Codes


def _mix(keys: Codes, bits: int) -> Buckets:
    """Top bits of the Murmur3 finaliser; key 0 stays 0, which means no feature."""
    mixed = keys ^ (keys >> np.uint32(16))
    mixed *= np.uint32(0x85EBCA6B)
    mixed ^= mixed >> np.uint32(13)
    mixed *= np.uint32(0xC2B2AE35)
    mixed >>= np.uint32(32 - bits)
    return mixed.astype(np.int64)


def _last_seen(marks: NDArray[np.bool_]) -> NDArray[np.int64]:
    """For each position the last marked position at or before it, else far back."""
    where = np.where(marks, _ORDER[: len(marks)], -_CAPACITY)
    return np.maximum.accumulate(where)


def _lexical(out: Codes, hashes: Codes) -> None:
    padded = np.zeros(len(hashes) + 2, np.uint32)
    padded[:-2] = hashes
    after, second = padded[1:-1], padded[2:]
    np.add(hashes * np.uint32(0x9E3779B1), after * np.uint32(0x7FEB352D), out=out[1])
    np.add(out[1] * np.uint32(3), second * np.uint32(0x27D4EB2F), out=out[2])
    np.add(hashes * np.uint32(0x165667B1), second * np.uint32(5), out=out[3])
    out[1:4, -1:] = 0
    out[2:4, -2:] = 0


def _stated(out: Codes, veiled: Codes, classes: NDArray[np.int64]) -> None:
    """Words under the last pronoun, under a negation, under a report."""
    order = _ORDER[: len(veiled)]
    spoken = _last_seen((classes >= FIRST_PRONOUN) & (classes < FIRST_GROUP))
    state = np.where(spoken >= 0, classes[np.maximum(spoken, 0)], 0).astype(np.uint32)
    np.add(veiled, (state + np.uint32(1)) * np.uint32(0xB5297A4D), out=out[4])
    for row, mark, reach in (
        (5, NEGATION, _NEGATION_SCOPE),
        (6, REPORT, _REPORT_SCOPE),
    ):
        near = order - _last_seen(classes == mark) <= reach
        np.multiply(veiled * np.uint32(0xCC9E2D51 + 2 * row), near, out=out[row])


def _grouped(out: Codes, veiled: Codes, classes: NDArray[np.int64]) -> None:
    """Words after or before a group is named, and n-grams in which any group stands."""
    named = classes >= FIRST_GROUP
    if not named.any():
        out[7:] = 0
        return
    order = _ORDER[: len(veiled)]
    last = _last_seen(named)
    near = order - last <= _GROUP_SCOPE
    salt = np.where(near, classes[np.maximum(last, 0)], 0).astype(
        np.uint32
    ) * np.uint32(0x2545F491)
    np.multiply(veiled + salt, near & ~named, out=out[7])
    ahead = -_last_seen(named[::-1])[::-1] + len(veiled) - 1 - order <= _AHEAD_SCOPE
    np.multiply(veiled * np.uint32(0x68E31DA4 + 1), ahead & ~named, out=out[8])
    padded = np.zeros(len(veiled) + 2, np.uint32)
    padded[:-2] = veiled
    flags = np.zeros(len(veiled) + 2, np.bool_)
    flags[:-2] = named
    pair = named | flags[1:-1]
    keys = veiled * np.uint32(0x1B56C4E9) + padded[1:-1] * np.uint32(0x7FEB352D)
    np.multiply(keys, pair, out=out[9])
    keys = keys * np.uint32(5) + padded[2:]
    np.multiply(keys, pair | flags[2:], out=out[10])


def _word_keys(hashes: Codes, classes: NDArray[np.int64]) -> Codes:
    out = np.empty((WORD_KINDS, len(hashes)), np.uint32)
    veiled = np.where(classes >= FIRST_GROUP, _ANYONE, hashes)
    out[0] = veiled
    if len(hashes):
        _lexical(out, hashes)
        _stated(out, veiled, classes)
        _grouped(out, veiled, classes)
    return out.T


def _char_keys(prefix: Codes, solid: NDArray[np.bool_]) -> Codes:
    count = len(solid)
    out = np.zeros((CHAR_KINDS, count), np.uint32)
    valid = solid[1:]
    for row, size in enumerate(range(3, 3 + CHAR_KINDS)):
        last = count - size + 1
        if last <= 0:
            break
        valid = valid[:last] if row == 0 else valid[:last] & solid[size - 2 : -1]
        grams = (prefix[size:] - prefix[:last]) * _INVERSES[:last]
        grams += np.uint32(0x51ED270B + size)
        np.multiply(grams, valid, out=out[row, :last], casting="unsafe")
    return out.T


def passage(text: str) -> Passage:
    """Features of one normalised piece of text (see ``passages``)."""
    codes = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), "<u4")
    solid = codes != _SPACE
    prefix = np.zeros(len(codes) + 1, np.uint32)
    np.cumsum(codes * _POWERS[: len(codes)], dtype=np.uint32, out=prefix[1:])
    edges = np.flatnonzero(solid[1:] != solid[:-1]) + 1
    starts, ends = edges[::2], edges[1::2]
    hashes = (prefix[ends] - prefix[starts]) * _INVERSES[starts]
    classes = classes_of(hashes)
    keys = _word_keys(hashes, classes)
    words = _mix(keys, SHARED_BITS)
    words[:, 0] = _mix(keys[:, 0], SINGLE_BITS) + SHARED_BUCKETS
    chars = _char_keys(prefix, solid)
    for word in np.flatnonzero(classes >= FIRST_GROUP):
        chars[starts[word] - 1 : ends[word]] = 0
    return Passage(words, _mix(chars, SHARED_BITS), starts, hashes)


def single_bucket(word: str) -> int:
    """The bucket in which a word's own weight stands."""
    return int(_mix(np.array([word_hash(word)], np.uint32), SINGLE_BITS)[0]) + (
        SHARED_BUCKETS
    )


def crossed(hashes: Codes, topics: Sequence[int]) -> Buckets:
    """(topics x 2 words) buckets below CROSS_BUCKETS: a reply's words under a topic."""
    if not topics or not len(hashes):
        return np.zeros(0, np.int64)
    pairs = hashes * np.uint32(0x9E3779B1)
    pairs[:-1] += hashes[1:]
    salts = np.array(
        [0x3C6EF372 + 0x1F123BB5 * t & 0xFFFFFFFF for t in topics], np.uint32
    )
    keys = np.concatenate([hashes, pairs])[None, :] ^ salts[:, None]
    return _mix(keys.ravel(), CROSS_BITS)


def together(parts: Sequence[str]) -> Iterator[tuple[Passage, list[int]]]:
    """Normalised parts of a text, as many as fit in each passage, and where they end.

    Ends are counted in words.

    N-grams reach over from one part into the next; otherwise each is as by itself.
    """
    open_: list[str] = []
    ends: list[int] = []
    length = 0
    for part in parts:
        words = part[:PASSAGE_CHARS].split()
        size = sum(map(len, words)) + len(words)
        if open_ and length + size > PASSAGE_CHARS:
            yield passage(f" {' '.join(open_)} "), ends
            open_, ends, length = [], [], 0
        open_ += words
        ends.append(len(open_))
        length += size
    yield passage(f" {' '.join(open_)} "), ends


def _pieces(text: str) -> Iterator[str]:
    start = 0
    while len(text) - start > PASSAGE_CHARS:
        cut = text.rfind(" ", start + PASSAGE_CHARS // 2, start + PASSAGE_CHARS)
        end = cut if cut > 0 else start + PASSAGE_CHARS
        yield f" {text[start:end]} "
        start = end
    yield f" {text[start:]} "


def passages(text: str) -> Iterator[Passage]:
    """All of any text, normalised, in pieces of bounded size; at least one piece."""
    for piece in _pieces(normalise(text)):
        yield passage(piece)
