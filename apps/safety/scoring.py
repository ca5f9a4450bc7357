"""Lets several gates share one classifier pass over the same text."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence

from apps.safety.contracts import TextScorer


class SharedScorer:
    """A scorer that remembers its last answer in each thread.

    Four gates ask for the same text in a row; only one text is ever held, and only
    until the next one.
    """

    def __init__(self, scorer: TextScorer) -> None:
        self._scorer = scorer
        self._local = threading.local()
        self.version = scorer.version
        self.heads = tuple(scorer.heads)

    def score(self, text: str, context: Sequence[str] = ()) -> Mapping[str, float]:
        """The scorer's answer for this text and context."""
        key = (text, tuple(context))
        if getattr(self._local, "key", None) != key:
            self._local.answer = self._scorer.score(text, context)
            self._local.key = key
        answer: Mapping[str, float] = self._local.answer
        return answer
