"""Chunks in, events out: the stream driven over a source, as most callers need it."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator

from apps.safety.streaming.contracts import Event
from apps.safety.streaming.stream import OutputStream


def screened(chunks: Iterable[str], stream: OutputStream) -> Iterator[Event]:
    """Events of a stream over its chunks: pieces, a Stop at once if any, the Ending.

    No chunk is asked for after a stop, and a source that is a generator is closed then.
    What the source raises is passed on, and nothing more is released; the caller may
    still close the stream for its verdicts.
    """
    for chunk in chunks:
        yield from stream.feed(chunk)
        if stream.stop is not None:
            yield stream.stop
            break
    if stream.stop is not None and isinstance(chunks, Generator):
        chunks.close()
    yield from stream.close()
