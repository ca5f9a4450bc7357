"""Parts of a longer text: passages of about a hundred words, and its sentences."""

from __future__ import annotations

import re

PASSAGE_CHARS, OVERLAP_CHARS = 540, 90
_LOOK_BACK = 60
# Fewer words are read with the sentence after them; of more, a part at a time.
FEWEST_WORDS, MOST_WORDS, SHARED_WORDS = 4, 32, 4
_ENDS = re.compile(r"(?<=[.!?;])\s+|\n+")


def passages(text: str) -> list[str]:
    """Overlapping passages that cover the text, ending at a blank where one is near."""
    found: list[str] = []
    start = 0
    while True:
        end = start + PASSAGE_CHARS
        if end >= len(text):
            return [*found, text[start:]]
        blank = text.rfind(" ", end - _LOOK_BACK, end)
        end = blank if blank > 0 else end
        found.append(text[start:end])
        start = end - OVERLAP_CHARS


def sentences(text: str) -> list[str]:
    """Sentences with every word of the text, blanks apart; a very long one in parts."""
    found: list[str] = []
    open_: list[str] = []
    for sentence in _ENDS.split(text):
        words = sentence.split()
        if open_ and len(open_) + len(words) > MOST_WORDS:
            found.append(" ".join(open_))
            open_ = []
        while len(words) > MOST_WORDS:
            found.append(" ".join(words[:MOST_WORDS]))
            words = words[MOST_WORDS - SHARED_WORDS :]
        open_ += words
        if len(open_) >= FEWEST_WORDS:
            found.append(" ".join(open_))
            open_ = []
    return [*found, " ".join(open_)] if open_ else found
