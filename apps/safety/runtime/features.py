"""Text to hashed feature numbers, the same way in training and in serving.

Features of one word position are its n-grams, a gapped pair, the word under its last
pronoun and the word under a negation; of one character position, n-grams that stay in a
word. Everything is arithmetic on one array of code points, so cost is linear and no
dictionary has to be shipped. Changing a constant here invalidates every trained weight:
raise ``SCHEME`` with it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from apps.safety.runtime.normalise import normalise

SCHEME = "words-chars-1"
BITS = 18
BUCKETS = 1 << BITS
CROSS_BITS = 16
CROSS_BUCKETS = 1 << CROSS_BITS
PASSAGE_CHARS = 4096
WORD_KINDS = 6
CHAR_KINDS = 3

Codes = NDArray[np.uint32]
Buckets = NDArray[np.int64]

_SPACE = np.uint32(32)
_BASE = 0x01000193
_SHIFT = np.uint32(32 - BITS)


def _powers(base: int, count: int) -> Codes:
    values = np.empty(count, np.uint32)
    power = 1
    for index in range(count):
        values[index] = power
        power = power * base & 0xFFFFFFFF
    return values


_CAPACITY = PASSAGE_CHARS + 64
_POWERS = _powers(_BASE, _CAPACITY)
_INVERSES = _powers(pow(_BASE, -1, 1 << 32), _CAPACITY)
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


def _mix(keys: Codes) -> Buckets:
    """Murmur3 finaliser, top bits; key 0 stays bucket 0, which means no feature."""
    mixed = keys ^ (keys >> np.uint32(16))
    mixed *= np.uint32(0x85EBCA6B)
    mixed ^= mixed >> np.uint32(13)
    mixed *= np.uint32(0xC2B2AE35)
    mixed >>= _SHIFT
    return mixed.astype(np.int64)


def word_hash(word: str) -> int:
    """The hash a word has inside a passage, for the small fixed word classes."""
    total = sum(ord(c) * pow(_BASE, i, 1 << 32) for i, c in enumerate(word))
    return total & 0xFFFFFFFF


_PRONOUNS = (
    "i im ive id ill me my mine myself",
    "you your youre u ur yours yourself youve",
    "he she him her his hers himself herself",
    "they them their theyre these those theirs",
    "we us our were ours",
    "it its this that there",
)
_NEGATIONS = (
    "not no never dont didnt doesnt isnt wasnt arent wont cant cannot wouldnt couldnt "
    "shouldnt havent hasnt hadnt aint without nobody none nothing neither nor hardly"
)
_SCOPE = 4


def _class_table() -> tuple[Codes, NDArray[np.int64]]:
    pairs = [(word_hash(w), 0) for w in _NEGATIONS.split()]
    for number, words in enumerate(_PRONOUNS, start=1):
        pairs += [(word_hash(w), number) for w in words.split()]
    pairs.sort()
    hashes, classes = zip(*pairs, strict=True)
    return np.array(hashes, np.uint32), np.array(classes, np.int64)


_CLASS_HASHES, _CLASSES = _class_table()


def _word_classes(hashes: Codes) -> NDArray[np.int64]:
    """-1 for plain words, 0 for negations, 1 and up for pronoun classes."""
    found = np.searchsorted(_CLASS_HASHES, hashes)
    found[found == len(_CLASS_HASHES)] = 0
    return np.where(_CLASS_HASHES[found] == hashes, _CLASSES[found], -1)


def _last_seen(marks: NDArray[np.bool_]) -> NDArray[np.int64]:
    """For each position the last marked position at or before it, else -1."""
    where = np.where(marks, _ORDER[: len(marks)], -1)
    return np.maximum.accumulate(where)


def _word_keys(hashes: Codes) -> Codes:
    count = len(hashes)
    padded = np.zeros(count + 2, np.uint32)
    padded[:count] = hashes
    after, second = padded[1:-1], padded[2:]
    classes = _word_classes(hashes)
    pronoun = _last_seen(classes > 0)
    state = np.where(pronoun >= 0, classes[pronoun], 0).astype(np.uint32)
    negation = _last_seen(classes == 0)
    out = np.empty((WORD_KINDS, count), np.uint32)
    out[0] = hashes
    np.add(hashes * np.uint32(0x9E3779B1), after * np.uint32(0x7FEB352D), out=out[1])
    np.add(out[1] * np.uint32(3), second * np.uint32(0x27D4EB2F), out=out[2])
    np.add(hashes * np.uint32(0x165667B1), second * np.uint32(5), out=out[3])
    np.add(hashes, (state + np.uint32(1)) * np.uint32(0xB5297A4D), out=out[4])
    np.multiply(hashes, np.uint32(0xCC9E2D51), out=out[5])
    out[1:4, -1:] = 0
    out[2:4, -2:] = 0
    far = (negation < 0) | (_ORDER[:count] - negation > _SCOPE)
    out[5, far] = 0
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
    words, chars = _mix(_word_keys(hashes)), _mix(_char_keys(prefix, solid))
    return Passage(words, chars, starts, hashes)


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
    return (_mix(keys.ravel()) >> (BITS - CROSS_BITS)).astype(np.int64)


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
