"""The shipped gate classifier: one table of weights, every head in one pass.

Needs numpy only. A text is normalised and hashed once; every head reads its column of
the same rows. Long text is read in overlapping windows and the worst window counts, so
nothing can be hidden behind padding. It must never answer from bytes whose digest it
did not check.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import cast

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import load

from apps.core.digests import digest_bytes
from apps.core.errors import IntegrityFailure, Unavailable
from apps.safety.runtime.cues import topics_of
from apps.safety.runtime.features import (
    CHAR_KINDS,
    SCHEME,
    WORD_KINDS,
    Passage,
    crossed,
    passages,
    together,
)
from apps.safety.runtime.normalise import normalise

SHIPPED = Path(__file__).resolve().parent.parent / "weights"
MANIFEST = "manifest.json"
WEIGHTS = "linear.safetensors"
SEGMENT_WORDS = 128
CONTEXT_TURNS = 8
CONTEXT_CHARS = 4000
CONTEXT_DECAY = 0.85
CARRIED = ("crisis", "crisis_high")
PAIR_HEAD = "inappropriate"

Floats = NDArray[np.float32]
Doubles = NDArray[np.float64]
Counts = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class _Window:
    """Sums of weights over part of a text, with how many features each block had.

    ``length`` is in words.
    """

    words: Floats
    chars: Floats
    word_count: int
    char_count: int
    length: int

    def __add__(self, other: _Window) -> _Window:
        return _Window(
            self.words + other.words,
            self.chars + other.chars,
            self.word_count + other.word_count,
            self.char_count + other.char_count,
            self.length + other.length,
        )

    def logits(self) -> Floats:
        words = self.words / np.float32(math.sqrt(max(1, self.word_count)))
        chars = self.chars / np.float32(math.sqrt(max(1, self.char_count)))
        return words + chars


def expand(packed: NDArray[np.int8], scale: Floats) -> Floats:
    """float32 weights from signed-square 8-bit codes; finer steps near zero."""
    unit = packed.astype(np.float32) / 127.0
    return np.asarray(unit * np.abs(unit) * scale, np.float32)


class LinearScorer:
    """Calibrated probabilities by head; implements ``contracts.TextScorer``."""

    def __init__(
        self, tensors: Mapping[str, NDArray[np.generic]], manifest: Mapping[str, object]
    ):
        self.version = str(manifest["version"])
        heads = cast(Mapping[str, Mapping[str, float]], manifest["heads"])
        self.heads: tuple[str, ...] = tuple(heads)
        self.thresholds = {name: float(h["threshold"]) for name, h in heads.items()}
        self._slope = np.array([h["slope"] for h in heads.values()], np.float32)
        self._offset = np.array([h["offset"] for h in heads.values()], np.float32)
        table = expand(_int8(tensors["table"]), _float(tensors["scale"]))
        self._table = np.zeros((len(table), 16), np.float32)
        self._table[:, : table.shape[1]] = table
        self._turn_column = len(self.heads)
        self._post_column = len(self.heads) + 1
        self._post = cast(Mapping[str, float], manifest["post"])
        self._crisis = self.heads.index("crisis")
        self._cross = expand(_int8(tensors["cross"]), _float(tensors["cross_scale"]))
        self._pair = self.heads.index(PAIR_HEAD)
        self._carried = [self.heads.index(name) for name in CARRIED]

    @classmethod
    def load(cls, directory: Path | None = None) -> LinearScorer:
        """The scorer in ``directory``, or the one shipped with the platform.

        Raises Unavailable when files are missing; IntegrityFailure when the weights'
        digest or feature scheme is not the manifest's.
        """
        where = directory or SHIPPED
        try:
            manifest = json.loads((where / MANIFEST).read_bytes())
            content = (where / WEIGHTS).read_bytes()
        except FileNotFoundError as error:
            raise Unavailable(
                f"No gate weights in {where.name}: run manage.py train_gates."
            ) from error
        if digest_bytes(content) != manifest["digest"]:
            raise IntegrityFailure(
                "Gate weights do not match the digest in their manifest: restore both."
            )
        if manifest["scheme"] != SCHEME:
            raise IntegrityFailure(
                f"Gate weights were trained for features {manifest['scheme']}, this "
                f"release computes {SCHEME}: train them again."
            )
        return cls(load(content), manifest)

    def score(
        self,
        text: str,
        context: Sequence[str] = (),
        heads: Sequence[str] = (),
        *,
        decides: bool = True,
    ) -> dict[str, float]:
        """Probability in [0, 1] for each head, those not in ``heads`` included.

        ``context`` holds earlier turns, oldest first. Crisis heads carry earlier risk
        forward, decaying by turn; ``inappropriate`` reads the text as a reply to the
        last turn.
        """
        logits = self.logits(text, context)
        scores = self._calibrated(logits)
        if context:
            self._carry(scores, context)
        return dict(zip(self.heads, scores.tolist(), strict=True))

    def calibrated(self, text: str, context: Sequence[str] = ()) -> Floats:
        """(heads,) probabilities before earlier risk is carried."""
        return self._calibrated(self.logits(text, context))

    def both(self, text: str, context: Sequence[str] = ()) -> tuple[Floats, Floats]:
        """(heads,) logits and probabilities before earlier risk is carried."""
        logits = self.logits(text, context)
        return logits, self._calibrated(logits)

    def by_part(self, parts: Sequence[str]) -> tuple[Floats, Floats]:
        """(parts, heads) logits and probabilities of parts of one text, in one pass.

        A part by itself comes out the same but for n-grams over its borders.
        """
        logits: list[Floats] = []
        for piece, ends in together([normalise(part) for part in parts]):
            by_word = piece.words.reshape(-1, WORD_KINDS)
            by_char = piece.chars.reshape(-1, CHAR_KINDS)
            words, word_counts = self._running(by_word)
            chars, char_counts = self._running(by_char)
            begins = [*(piece.starts - 1), len(piece.chars)]
            for first, last in pairwise([0, *ends]):
                c, d = begins[first], begins[last]
                window = _Window(
                    (words[last] - words[first]).astype(np.float32),
                    (chars[d] - chars[c]).astype(np.float32),
                    int(word_counts[last] - word_counts[first]),
                    int(char_counts[d] - char_counts[c]),
                    last - first,
                )
                logits.append(self._blended(window)[: len(self.heads)])
        found = np.array(logits, np.float32)
        return found, self._calibrated(found)

    def _running(self, buckets: NDArray[np.int64]) -> tuple[Doubles, Counts]:
        """Weights and numbers of features summed up to each word or character.

        (places + 1, 16) and (places + 1,), nothing first.
        """
        places, kinds = buckets.shape
        sums = np.zeros((places + 1, self._table.shape[1]))
        taken = self._table.take(buckets.ravel(), axis=0)
        np.cumsum(
            taken.reshape(places, kinds, sums.shape[1]).sum(axis=1),
            axis=0,
            out=sums[1:],
        )
        counts = np.zeros(places + 1, np.int64)
        np.cumsum(np.count_nonzero(buckets, axis=1), out=counts[1:])
        return sums, counts

    def logits(self, text: str, context: Sequence[str] = ()) -> Floats:
        """Uncalibrated head logits, shape (heads,), before earlier risk is carried."""
        pieces = list(passages(text))
        logits = self._worst(pieces)
        if context:
            logits[self._pair] += self._pair_logit(pieces, context[-1])
        return logits

    def _worst(self, pieces: Sequence[Passage]) -> Floats:
        logits = [self._blended(window) for window in self._windows(pieces)]
        worst = logits[0] if len(logits) == 1 else np.max(logits, axis=0)
        return np.asarray(worst[: len(self.heads)])

    def _blended(self, window: _Window) -> Floats:
        """Logits of a window; the longer it is, the more the posts' weights count.

        A disclosure in a chat line and in a long post read differently, so crisis has
        weights for each, brought to one scale.
        """
        logits = window.logits()
        fit = self._post
        share = (window.length - fit["from_words"]) / (
            fit["to_words"] - fit["from_words"]
        )
        share = min(1.0, max(0.0, share))
        post = fit["slope"] * logits[self._post_column] + fit["offset"]
        logits[self._crisis] += share * (post - logits[self._crisis])
        return logits

    def _windows(self, pieces: Sequence[Passage]) -> Iterator[_Window]:
        segments = [s for piece in pieces for s in self._segments(piece)]
        if len(segments) == 1:
            yield segments[0]
        for first, second in pairwise(segments):
            yield first + second

    def _segments(self, piece: Passage) -> Iterator[_Window]:
        count = len(piece.starts)
        if count <= 2 * SEGMENT_WORDS:
            yield self._sum(piece.words, piece.chars)
            return
        for first in range(0, count, SEGMENT_WORDS):
            last = min(first + SEGMENT_WORDS, count)
            end = piece.starts[last] if last < count else len(piece.chars)
            yield self._sum(
                piece.words[first:last], piece.chars[piece.starts[first] - 1 : end]
            )

    def _sum(self, words: NDArray[np.int64], chars: NDArray[np.int64]) -> _Window:
        return _Window(
            self._total(words.reshape(-1, WORD_KINDS)),
            self._total(chars.reshape(-1, CHAR_KINDS)),
            int(np.count_nonzero(words)),
            int(np.count_nonzero(chars)),
            len(words),
        )

    def _total(self, buckets: NDArray[np.int64]) -> Floats:
        flat = buckets.ravel()
        return np.ones(len(flat), np.float32) @ self._table.take(flat, axis=0)

    def _pair_logit(self, pieces: Sequence[Passage], turn: str) -> float:
        """What the last turn, and the reply's words in its light, add to the reply."""
        asked = next(iter(passages(turn[:CONTEXT_CHARS])))
        logit = float(self._sum(asked.words, asked.chars).logits()[self._turn_column])
        topics = topics_of(asked.hashes)
        sums = [self._cross[crossed(p.hashes, topics)].sum() for p in pieces]
        count = 2 * len(topics) * sum(len(p.hashes) for p in pieces)
        return logit + float(sum(sums)) / math.sqrt(max(1, count))

    def _carry(self, scores: Floats, context: Sequence[str]) -> None:
        for age, turn in enumerate(reversed(context[-CONTEXT_TURNS:]), start=1):
            logits = self._worst(list(passages(turn[-CONTEXT_CHARS:])))
            earlier = self._calibrated(logits) * np.float32(CONTEXT_DECAY**age)
            for head in self._carried:
                scores[head] = max(scores[head], earlier[head])

    def _calibrated(self, logits: Floats) -> Floats:
        z = np.clip(self._slope * logits + self._offset, -30.0, 30.0)
        return np.asarray(1.0 / (1.0 + np.exp(-z)), np.float32)


def _int8(tensor: NDArray[np.generic]) -> NDArray[np.int8]:
    return np.asarray(tensor, np.int8)


def _float(tensor: NDArray[np.generic]) -> Floats:
    return np.asarray(tensor, np.float32)
