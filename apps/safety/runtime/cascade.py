"""Linear first, the encoder where the linear classifier is not sure.

Each gate asks for its own heads. Where every head that is asked for stands under its
``sure`` point, the linear classifier answers alone. Those points are chosen on dev rows
so that of the texts that both together rightly stop, a head loses at most the share in
``training.fuse``. Elsewhere both classifiers' logits are joined, head by head.

The linear classifier reads every word, of the whole text and of each sentence. Of a
long text the encoder reads the passages and the sentence that the linear one finds most
suspicious.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from apps.safety.runtime.encoder import Encoder
from apps.safety.runtime.linear import (
    CARRIED,
    CONTEXT_CHARS,
    CONTEXT_DECAY,
    CONTEXT_TURNS,
    LinearScorer,
)
from apps.safety.runtime.parts import passages, sentences
from apps.safety.runtime.remembered import Remembered

Floats = NDArray[np.float32]
Indices = NDArray[np.intp]
# Up to here the encoder reads everything; about 220 words.
LONG_CHARS = 1200
# Of a longer text, so many passages; docs/gates/classifier.md says what that loses.
PASSAGES_READ = 3
# Shorter texts are seen whole well enough.
SENTENCES_FROM_WORDS = 24
# Where a score is only kept, the linear classifier answers under this probability.
RECORDED = np.float32(0.25)


class CascadeScorer:
    """Calibrated probabilities by head; implements ``contracts.TextScorer``.

    ``always`` runs the encoder on every text: for measuring what the cascade saves.
    The last text of each thread is remembered, until the next one, because several
    gates ask about it in a row.
    """

    def __init__(
        self, linear: LinearScorer, encoder: Encoder, *, always: bool = False
    ) -> None:
        if linear.heads != encoder.heads:
            raise ValueError("linear and encoder weights answer for different heads")
        self.heads = linear.heads
        self.version = f"{linear.version}/{encoder.version}"
        self.thresholds = dict.fromkeys(self.heads, 0.5)
        self._linear, self._encoder, self.always = linear, encoder, always
        fusion: Mapping[str, Any] = encoder.manifest["fusion"]
        self._sure = np.array([fusion["sure"][h] for h in self.heads], np.float32)
        self.margin = np.array([fusion["margin"][h] for h in self.heads], np.float32)
        self._chat = _table(fusion["chat"], self.heads)
        self._post = _table(fusion["post"], self.heads)
        self._from, self._to = fusion["from_words"], fusion["to_words"]
        self._carried = self._numbers(CARRIED)
        self._turns = Remembered(self._alone)
        self._local = threading.local()

    def score(
        self,
        text: str,
        context: Sequence[str] = (),
        heads: Sequence[str] = (),
        *,
        decides: bool = True,
    ) -> dict[str, float]:
        """Probability in [0, 1] for each head asked for; 0.5 is the proposed threshold.

        No ``heads`` means all. ``context`` holds earlier turns, oldest first. The text
        is read in the light of the last one; crisis heads carry earlier risk forward,
        decaying by turn. A score by which nothing is decided comes from the linear
        classifier up to ``RECORDED``.
        """
        names = tuple(heads) or self.heads
        asked = self._numbers(names)
        sure = self._sure if decides else np.maximum(self._sure, RECORDED)
        scores = self._reading(text, tuple(context)).scores(asked, sure)
        carried = [place for place, head in enumerate(asked) if head in self._carried]
        if carried and context:
            self._carry(scores, carried, asked, context)
        elif decides and names == CARRIED and len(text) <= CONTEXT_CHARS:
            # It may be an earlier turn of the next text; this is it by itself.
            self._turns.keep(text, self._only(scores))
        return dict(zip(names, scores.tolist(), strict=True))

    def _carry(
        self,
        scores: Floats,
        places: Sequence[int],
        asked: Indices,
        context: Sequence[str],
    ) -> None:
        for age, turn in enumerate(reversed(context[-CONTEXT_TURNS:]), start=1):
            earlier = self._turns(turn[-CONTEXT_CHARS:]) * CONTEXT_DECAY**age
            for place in places:
                scores[place] = max(scores[place], earlier[asked[place]])

    def is_sure(
        self, text: str, context: Sequence[str] = (), heads: Sequence[str] = ()
    ) -> bool:
        """Whether the linear classifier alone answers for these heads."""
        asked = self._numbers(tuple(heads) or self.heads)
        first = self._linear.calibrated(text, context)
        return not self.always and bool((first < self._sure)[asked].all())

    def _numbers(self, heads: Sequence[str]) -> Indices:
        return np.array([self.heads.index(head) for head in heads], np.intp)

    def _reading(self, text: str, context: tuple[str, ...]) -> _Reading:
        known: _Reading | None = getattr(self._local, "reading", None)
        if known is None or (known.text, known.context) != (text, context):
            known = self._local.reading = _Reading(self, text, context)
        return known

    def _alone(self, turn: str) -> Floats:
        """(heads,) of an earlier turn by itself; only ``CARRIED`` are filled in."""
        reading = _Reading(self, turn, ())
        return self._only(reading.scores(self._carried, self._sure))

    def _only(self, carried: Floats) -> Floats:
        scores = np.zeros(len(self.heads), np.float32)
        scores[self._carried] = carried
        return scores

    def encoded(self, text: str, context: Sequence[str] = ()) -> Floats:
        """(heads,) encoder logits; of a long text, of its most suspicious passages."""
        if len(text) <= LONG_CHARS:
            return self._encoder.logits(text, context)
        parts = passages(text)
        alarm = [(self._linear.calibrated(part) - self._sure).max() for part in parts]
        worst = np.argsort(alarm)[-PASSAGES_READ:]
        return self._encoder.highest([parts[n] for n in worst], context)

    def joined(self, logits: Floats, words: int) -> Floats:
        """(2, heads) logits, linear then encoder, to (heads,) log-odds.

        The longer the text, the more the weights fitted to posts count.
        """
        share = min(1.0, max(0.0, (words - self._from) / (self._to - self._from)))
        table = (1.0 - share) * self._chat + share * self._post
        return np.asarray((table[:2] * logits).sum(axis=0) + table[2], np.float32)

    def first(self, text: str, context: Sequence[str]) -> tuple[Floats, Floats]:
        """(heads,) logits and probabilities of the linear classifier."""
        return self._linear.both(text, context)


class _Whole:
    """One text and what has been computed about it so far."""

    def __init__(
        self, scorer: CascadeScorer, text: str, context: tuple[str, ...]
    ) -> None:
        self.text, self.context, self._scorer = text, context, scorer
        self.logits, self.first = scorer.first(text, context)
        self._joined: Floats | None = None

    def is_sure(self, asked: Indices, sure: Floats) -> bool:
        """Whether the linear classifier is under ``sure`` for all of these heads."""
        return not self._scorer.always and bool((self.first < sure)[asked].all())

    def joined(self, words: int) -> Floats:
        """(heads,) log-odds of both classifiers, joined as for a text of ``words``."""
        if self._joined is None:
            encoded = self._scorer.encoded(self.text, self.context)
            logits = np.stack([self.logits, encoded])
            self._joined = self._scorer.joined(logits, words)
        return self._joined


class _Reading(_Whole):
    """A text as a whole, and the sentences of a longer one by themselves.

    Calm words around a sentence thin out what a classifier sees of it. The most
    suspicious sentence counts with its log-odds less the head's ``margin``, which is
    such that few long texts without the label reach it.
    """

    def __init__(
        self, scorer: CascadeScorer, text: str, context: tuple[str, ...]
    ) -> None:
        super().__init__(scorer, text, context)
        self._words = len(text.split())
        self._sentences: list[_Whole] | None = None

    def scores(self, asked: Indices, sure: Floats) -> Floats:
        """Probabilities of the heads with these numbers, in that order.

        The linear classifier answers where it is under ``sure`` for all of them: not
        for one and the other for the next, and whatever was asked before.
        """
        if self.is_sure(asked, sure):
            scores = self.first[asked]
        else:
            scores = probability(self.joined(self._words)[asked])
        worst = self._worst_sentence(asked, sure)
        if worst is None:
            return np.array(scores)
        alone = worst.joined(0)[asked] - self._scorer.margin[asked]
        return np.maximum(scores, probability(alone))

    def _worst_sentence(self, asked: Indices, sure: Floats) -> _Whole | None:
        """The sentence farthest above ``sure``; None where no sentence is."""
        if self._words < SENTENCES_FROM_WORDS:
            return None
        if self._sentences is None:
            parts = sentences(self.text)
            self._sentences = [_Whole(self._scorer, part, ()) for part in parts]
        doubtful = [one for one in self._sentences if not one.is_sure(asked, sure)]
        alarm = [(one.first - sure)[asked].max() for one in doubtful]
        return doubtful[int(np.argmax(alarm))] if doubtful else None


def probability(log_odds: Floats) -> Floats:
    """Log-odds to probabilities."""
    return np.asarray(1.0 / (1.0 + np.exp(-np.clip(log_odds, -30, 30))), np.float32)


def _table(fits: Mapping[str, Mapping[str, float]], heads: Sequence[str]) -> Floats:
    """(3, heads): weight of the linear logit, of the encoder's, and offset."""
    names = ("linear", "encoder", "offset")
    return np.array([[fits[head][name] for head in heads] for name in names], "f4")


def shipped_scorer(
    directory: Path | None = None, *, always: bool = False
) -> CascadeScorer:
    """Both classifiers in ``directory``, or those shipped with the platform.

    Raises what ``LinearScorer.load`` and ``Encoder.load`` raise.
    """
    linear, encoder = LinearScorer.load(directory), Encoder.load(directory)
    return CascadeScorer(linear, encoder, always=always)
