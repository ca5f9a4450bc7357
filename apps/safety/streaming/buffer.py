"""Text that grows by small chunks, read near its end, in linear time."""

from __future__ import annotations

_JOIN_CHARS = 512


class Buffer:
    """Positions are code points from the beginning of all text ever added.

    ``tail`` starts at ``base``; what was dropped before it is only kept to be joined
    once, at the end. Its length is ``len(buffer)`` without what waits to be joined.
    """

    def __init__(self) -> None:
        self.tail = ""
        self.base = 0
        self._dropped: list[str] = []
        self._waiting: list[str] = []
        self._waiting_chars = 0

    def __len__(self) -> int:
        return self.base + len(self.tail)

    def add(self, chunk: str) -> bool:
        """Whether ``tail`` has grown: text without a blank may wait for more."""
        self._waiting.append(chunk)
        self._waiting_chars += len(chunk)
        is_word_end = any(char.isspace() for char in chunk)
        if not is_word_end and self._waiting_chars < _JOIN_CHARS:
            return False
        self.settle()
        return True

    def settle(self) -> None:
        """Join what waits to the tail."""
        self.tail += "".join(self._waiting)
        self._waiting.clear()
        self._waiting_chars = 0

    def slice(self, start: int, end: int) -> str:
        """The text of a range; ValueError if part of it was dropped."""
        if start < self.base:
            raise ValueError(f"{start} lies before {self.base}, which was dropped")
        return self.tail[start - self.base : end - self.base]

    def drop(self, before: int) -> None:
        """Take what lies before a position out of the tail."""
        count = max(0, before - self.base)
        self._dropped.append(self.tail[:count])
        self.tail = self.tail[count:]
        self.base += count

    def whole(self) -> str:
        """Everything ever added."""
        self.settle()
        return "".join((*self._dropped, self.tail))
