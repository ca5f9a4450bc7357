"""Cuts long text into overlapping windows, so that nothing is unread or quadratic."""

from __future__ import annotations

from collections.abc import Iterator

WINDOW_CHARS = 4000
OVERLAP_CHARS = 250


def windows(text: str) -> Iterator[tuple[int, str]]:
    """(offset, piece) pairs that cover the text; one pair for text of one window.

    Neighbours share ``OVERLAP_CHARS`` code points, and end at a blank where there is
    one, so that a phrase or number on a border stands whole in one of them.
    """
    if len(text) <= WINDOW_CHARS:
        yield 0, text
        return
    start = 0
    while start < len(text):
        end = _border(text, start + WINDOW_CHARS, start + WINDOW_CHARS // 2)
        yield start, text[start:end]
        if end >= len(text):
            return
        start = _border(text, end - OVERLAP_CHARS, end - 2 * OVERLAP_CHARS)


def _border(text: str, position: int, floor: int) -> int:
    """The last blank up to ``position``, not before ``floor``; else the position."""
    if position >= len(text):
        return len(text)
    blank = max(text.rfind(" ", floor, position), text.rfind("\n", floor, position))
    return blank + 1 if blank > floor else position
