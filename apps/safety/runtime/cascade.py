"""Linear first, the encoder where the linear classifier is not sure.

A text on which every linear head stands under its ``sure`` point is answered by the
linear classifier alone. Those points are chosen on dev rows so that for each head at
most five in a thousand of the texts that both together rightly stop are lost
(``training.fuse``). Elsewhere both classifiers' logits are joined, head by head.
"""

from __future__ import annotations

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
from apps.safety.runtime.remembered import Remembered

Floats = NDArray[np.float32]


class CascadeScorer:
    """Calibrated probabilities by head; implements ``contracts.TextScorer``.

    ``always`` runs the encoder on every text: for measuring what the cascade saves.
    """

    def __init__(
        self, linear: LinearScorer, encoder: Encoder, *, always: bool = False
    ) -> None:
        if linear.heads != encoder.heads:
            raise ValueError("linear and encoder weights answer for different heads")
        self.heads = linear.heads
        self.version = f"{linear.version}/{encoder.version}"
        self.thresholds = dict.fromkeys(self.heads, 0.5)
        self._linear, self._encoder, self._always = linear, encoder, always
        fusion: Mapping[str, Any] = encoder.manifest["fusion"]
        self._sure = np.array([fusion["sure"][h] for h in self.heads], np.float32)
        self._chat = _table(fusion["chat"], self.heads)
        self._post = _table(fusion["post"], self.heads)
        self._from, self._to = fusion["from_words"], fusion["to_words"]
        self._carried = [self.heads.index(name) for name in CARRIED]
        self._turns = Remembered(self._alone)

    def score(self, text: str, context: Sequence[str] = ()) -> dict[str, float]:
        """Probability in [0, 1] for each head; 0.5 is the proposed operating point.

        ``context`` holds earlier turns, oldest first. The text is read in the light of
        the last one; crisis heads carry earlier risk forward, decaying by turn.
        """
        scores = self._scored(text, context)
        for age, turn in enumerate(reversed(context[-CONTEXT_TURNS:]), start=1):
            earlier = self._turns(turn[-CONTEXT_CHARS:])
            for head in self._carried:
                carried = earlier[head] * CONTEXT_DECAY**age
                scores[head] = max(scores[head], carried)
        return dict(zip(self.heads, scores.tolist(), strict=True))

    def is_sure(self, text: str, context: Sequence[str] = ()) -> bool:
        """Whether the linear classifier alone answers for this text."""
        return self._is_sure(self._linear.calibrated(text, context))

    def _is_sure(self, scores: Floats) -> bool:
        return not self._always and bool((scores < self._sure).all())

    def _alone(self, text: str) -> Floats:
        return self._scored(text, ())

    def _scored(self, text: str, context: Sequence[str]) -> Floats:
        first = self._linear.calibrated(text, context)
        if self._is_sure(first):
            return first
        linear = self._linear.logits(text, context)
        logits = np.stack([linear, self._encoder.logits(text, context)])
        return self.joined(logits, len(text.split()))

    def joined(self, logits: Floats, words: int) -> Floats:
        """(2, heads) logits, linear then encoder, to (heads,) probabilities.

        The longer the text, the more the weights fitted to posts count.
        """
        share = min(1.0, max(0.0, (words - self._from) / (self._to - self._from)))
        table = (1.0 - share) * self._chat + share * self._post
        z = (table[:2] * logits).sum(axis=0) + table[2]
        return np.asarray(1.0 / (1.0 + np.exp(-np.clip(z, -30, 30))), np.float32)


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
