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
from functools import cached_property
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
# A sentence that is less likely by the linear classifier hardly reaches its margin.
SUSPECT = np.float32(0.5)
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
        self.linear, self.encoder, self.always = linear, encoder, always
        fusion: Mapping[str, Any] = encoder.manifest["fusion"]
        self.sure = np.array([fusion["sure"][h] for h in self.heads], np.float32)
        self.margin = np.array([fusion["margin"][h] for h in self.heads], np.float32)
        self._chat = _table(fusion["chat"], self.heads)
        self._post = _table(fusion["post"], self.heads)
        self._from, self._to = fusion["from_words"], fusion["to_words"]
        self.carried = self._numbers(CARRIED)
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
        sure = self.sure if decides else np.maximum(self.sure, RECORDED)
        scores = self._reading(text, tuple(context)).scores(asked, sure)
        carried = [place for place, head in enumerate(asked) if head in self.carried]
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
        first = self.linear.calibrated(text, context)
        return not self.always and bool((first < self.sure)[asked].all())

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
        return self._only(reading.scores(self.carried, self.sure))

    def _only(self, carried: Floats) -> Floats:
        scores = np.zeros(len(self.heads), np.float32)
        scores[self.carried] = carried
        return scores

    def encoded(self, text: str, context: Sequence[str] = ()) -> Floats:
        """(heads,) encoder logits; of a long text, of its most suspicious passages."""
        if len(text) <= LONG_CHARS:
            return self.encoder.logits(text, context)
        parts = passages(text)
        alarm = [(self.linear.calibrated(part) - self.sure).max() for part in parts]
        worst = np.argsort(alarm)[-PASSAGES_READ:]
        logits = self.encoder.each([parts[n] for n in worst], context)
        return np.asarray(logits.max(axis=0))

    def joined(self, logits: Floats, words: int) -> Floats:
        """(2, heads) logits, linear then encoder, to (heads,) log-odds.

        The longer the text, the more the weights fitted to posts count.
        """
        share = min(1.0, max(0.0, (words - self._from) / (self._to - self._from)))
        table = (1.0 - share) * self._chat + share * self._post
        return np.asarray((table[:2] * logits).sum(axis=0) + table[2], np.float32)


class _Reading:
    """One text and what has been computed about it so far.

    Calm words around a sentence thin out what a classifier sees of it, so the sentences
    of a longer text are read by themselves too: the most suspicious for crisis, and for
    everything else. Their log-odds count less the head's ``margin``, which is such that
    few long texts without the label reach it.
    """

    def __init__(
        self, scorer: CascadeScorer, text: str, context: tuple[str, ...]
    ) -> None:
        self.text, self.context, self._scorer = text, context, scorer
        self._words = len(text.split())
        self._linear = scorer.linear.both(text, context)

    def scores(self, asked: Indices, sure: Floats) -> Floats:
        """Probabilities of the heads with these numbers, in that order.

        The linear classifier answers where it is under ``sure`` for all of them: not
        for one and the other for the next, and whatever was asked before.
        """
        _, first = self._linear
        is_sure = not self._scorer.always and bool((first < sure)[asked].all())
        scores = first[asked] if is_sure else probability(self._whole[asked])
        if self._words < SENTENCES_FROM_WORDS:
            return np.array(scores)
        _, alone = self._suspects
        sure = np.maximum(sure, SUSPECT)
        if not self._scorer.always and bool((alone < sure)[:, asked].all()):
            return np.array(scores)
        return np.maximum(scores, probability(self._standing_out[asked]))

    @cached_property
    def _whole(self) -> Floats:
        """(heads,) log-odds of the whole text by both classifiers."""
        encoded = self._scorer.encoded(self.text, self.context)
        logits = np.stack([self._linear[0], encoded])
        return self._scorer.joined(logits, self._words)

    @cached_property
    def _suspects(self) -> tuple[list[tuple[str, Floats]], Floats]:
        """One or two sentences with linear logits, and (sentences, heads) chances."""
        parts = sentences(self.text)
        logits, chances = self._scorer.linear.by_part(parts)
        alarm = chances - self._scorer.sure
        carried = self._scorer.carried
        crisis = int(alarm[:, carried].max(axis=1).argmax())
        other = int(np.delete(alarm, carried, axis=1).max(axis=1).argmax())
        chosen = sorted({crisis, other})
        return [(parts[n], logits[n]) for n in chosen], chances[chosen]

    @cached_property
    def _standing_out(self) -> Floats:
        """(heads,) log-odds of the suspects as chat lines, the higher, less margin."""
        suspects, _ = self._suspects
        encoded = self._scorer.encoder.each([sentence for sentence, _ in suspects])
        odds = [
            self._scorer.joined(np.stack([linear, own]), 0)
            for (_, linear), own in zip(suspects, encoded, strict=True)
        ]
        return np.asarray(np.max(odds, axis=0) - self._scorer.margin)


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
