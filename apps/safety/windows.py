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
        end = window_end(text, start)
        yield start, text[start:end]
        if end >= len(text):
            return
        start = next_start(text, end)


def window_end(text: str, start: int) -> int:
    """Where the window that starts at ``start`` ends."""
    return _border(text, start + WINDOW_CHARS, start + WINDOW_CHARS // 2)


def next_start(text: str, end: int) -> int:
    """Where the window after one that ends at ``end`` starts."""
    return _border(text, end - OVERLAP_CHARS, end - 2 * OVERLAP_CHARS)


def earliest_next_start(text: str, start: int) -> int:
    """The least position at which the next window can start, however text goes on.

    Exact once the text reaches past the window at ``start``.
    """
    if len(text) > start + WINDOW_CHARS:
        return next_start(text, window_end(text, start))
    floor = start + WINDOW_CHARS // 2
    blank = max(text.rfind(" ", floor), text.rfind("\n", floor))
    if blank > floor:
        return next_start(text, blank + 1)
    return floor - 2 * OVERLAP_CHARS


def _border(text: str, position: int, floor: int) -> int:
    """The last blank up to ``position``, not before ``floor``; else the position."""
    if position >= len(text):
        return len(text)
    blank = max(text.rfind(" ", floor, position), text.rfind("\n", floor, position))
    return blank + 1 if blank > floor else position
