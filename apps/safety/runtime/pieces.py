"""Text to word-piece numbers, in windows, the same in training and in serving.

A row is ``[CLS] turn before [SEP] text [SEP]``, or ``[CLS] text [SEP]`` where there is
no turn. Type 1 marks the text and its closing piece; only those are pooled.
"""

from __future__ import annotations

from tokenizers import Tokenizer

from apps.safety.runtime.normalise import normalise

LONGEST = 128
CONTEXT_PIECES = 40
CONTEXT_CHARS = 600
OVERLAP = 24

Row = tuple[list[int], list[int]]


class Pieces:
    """Rows of at most ``LONGEST`` pieces; long text gives overlapping rows."""

    def __init__(self, tokenizer: Tokenizer) -> None:
        self._tokenizer = tokenizer
        vocabulary = tokenizer.get_vocab(with_added_tokens=True)
        self._first, self._end = vocabulary["[CLS]"], vocabulary["[SEP]"]

    def _ids(self, text: str) -> list[int]:
        encoded = self._tokenizer.encode(normalise(text), add_special_tokens=False)
        ids: list[int] = encoded.ids
        return ids

    def windows(self, text: str, context: str = "") -> list[Row]:
        """Every row of a text, each with the end of ``context``; at least one row."""
        head = [self._first]
        if context:
            head += [*self._ids(context[-CONTEXT_CHARS:])[-CONTEXT_PIECES:], self._end]
        room = LONGEST - len(head) - 1
        ids = self._ids(text)
        rows = []
        for start in range(0, max(1, len(ids) - OVERLAP), room - OVERLAP):
            own = [*ids[start : start + room], self._end]
            rows.append((head + own, [0] * len(head) + [1] * len(own)))
        return rows
